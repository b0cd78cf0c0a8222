#include <fstream>

#include "bench/service/cnn_model.h"
#include "bench/service/event_files.h"
#include "bench/service/service_models.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* config = R"(name: "cnn"
platform: "pytorch_libtorch"
input [{ name: "image" data_type: TYPE_FP32 dims: [48, 48, 1] }]
output [
  { name: "kind__0" data_type: TYPE_FP32 dims: [3] },
  { name: "michel__1" data_type: TYPE_FP32 dims: [1] }
]
instance_group [{ count: 1 kind: KIND_CPU }]
)";

Result<fs::path> write_repository(const fs::path& folder, int most_rows) {
    fs::create_directories(folder / "cnn/1");
    if (const auto done = write_cnn(folder / "cnn/1/model.pt"); !done) {
        return tl::unexpected(done.error());
    }
    std::ofstream(folder / "cnn/config.pbtxt") << config << "max_batch_size: " << most_rows << '\n';
    return folder;
}

}  // namespace

Result<std::vector<ServiceCase>> cnn_cases(const ServiceSources& sources) {
    const auto usual = write_repository(sources.scratch / "cnn", 256);
    if (!usual) return tl::unexpected(usual.error());
    const auto large = write_repository(sources.scratch / "cnn_large", 2048);
    if (!large) return tl::unexpected(large.error());
    std::mt19937 engine(2);
    std::vector<ServiceCase> cases;
    for (const std::uint32_t rows : {1U, 64U, 235U, 1693U}) {
        const EventFolder events{sources.scratch / ("cnn_" + std::to_string(rows)), rows};
        const auto done =
            write_event(events.path / "0", {random_floats("image", {rows, 48, 48, 1}, engine)});
        if (!done) return tl::unexpected(done.error());
        const fs::path& repository = rows > 256 ? *large : *usual;
        ServiceCase& one =
            cases.emplace_back(ServiceCase{"cnn", repository, "cnn", events, {events}});
        one.goal = 0.98;
        if (rows == 235) one.system_malloc_goal = 2;
        if (rows > 256) one.clients = {1, 2};  // a call takes a second of one core
    }
    return cases;
}

}  // namespace farm::bench
