#include <fstream>

#include "bench/service/cnn_model.h"
#include "bench/service/event_files.h"
#include "bench/service/service_models.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* config = R"(name: "cnn"
platform: "pytorch_libtorch"
max_batch_size: 256
input [{ name: "image" data_type: TYPE_FP32 dims: [48, 48, 1] }]
output [
  { name: "kind__0" data_type: TYPE_FP32 dims: [3] },
  { name: "michel__1" data_type: TYPE_FP32 dims: [1] }
]
instance_group [{ count: 1 kind: KIND_CPU }]
)";

}  // namespace

Result<std::vector<ServiceCase>> cnn_cases(const ServiceSources& sources) {
    const fs::path repository = sources.scratch / "cnn";
    fs::create_directories(repository / "cnn/1");
    if (const auto done = write_cnn(repository / "cnn/1/model.pt"); !done) {
        return tl::unexpected(done.error());
    }
    std::ofstream(repository / "cnn/config.pbtxt") << config;
    std::mt19937 engine(2);
    std::vector<ServiceCase> cases;
    for (const std::uint32_t rows : {1U, 64U, 235U, event_patches}) {
        const EventFolder events{sources.scratch / ("cnn_" + std::to_string(rows)), rows};
        const auto done =
            write_event(events.path / "0", {random_floats("image", {rows, 48, 48, 1}, engine)});
        if (!done) return tl::unexpected(done.error());
        ServiceCase& one =
            cases.emplace_back(ServiceCase{"cnn", repository, "cnn", events, {events}});
        one.goal = 0.98;
        if (rows == event_patches) one.clients = {1, 2, 4};  // a call takes a while
        if (rows == 235) one.system_malloc_goal = 2;
    }
    return cases;
}

}  // namespace farm::bench
