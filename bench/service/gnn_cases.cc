#include <algorithm>
#include <fstream>
#include <sstream>

#include "bench/service/cnn_model.h"
#include "bench/service/event_files.h"
#include "bench/service/service_models.h"
#include "cpu_client/events/space_points.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t large_nodes = 20'000;
constexpr std::int64_t large_edges = 100'000;

/// Two lines of comma-separated indices: the reference's edges after its filter.
Result<Tensor> read_edges(const fs::path& file) {
    std::ifstream stream(file);
    std::vector<std::int64_t> values;
    std::int64_t rows = 0;
    for (std::string line; std::getline(stream, line); ++rows) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        for (double index = 0; words >> index;) values.push_back(static_cast<std::int64_t>(index));
    }
    if (rows != 2 || values.empty() || values.size() % 2 != 0) {
        return fail(ErrorCode::invalid,
                    "'" + file.string() + "' does not hold two rows of indices");
    }
    return Tensor{{"edge_index", dtype::i64, {2, static_cast<std::int64_t>(values.size() / 2)}},
                  Buffer::copy_of(std::as_bytes(std::span(values)))};
}

}  // namespace

Result<std::vector<ServiceCase>> gnn_cases(const ServiceSources& sources) {
    const auto points =
        read_space_points(sources.data / "events/in_e1000.csv", space_point_units::classifier);
    if (!points) return tl::unexpected(points.error());
    auto edges =
        read_edges(sources.data / "reference/applyfilter_output_EDGE_LIST_AFTER_FILTER.csv");
    if (!edges) return tl::unexpected(edges.error());
    const fs::path small = sources.scratch / "gnn_314";
    const fs::path large = sources.scratch / "gnn_20000";
    std::mt19937 engine(1);
    for (const auto& written :
         {write_event(small / "0", {to_tensor("nodes", *points), *edges}),
          write_event(large / "0",
                      {random_floats("nodes", {large_nodes, 3}, engine),
                       random_edges("edge_index", large_nodes, large_edges, engine)})}) {
        if (!written) return tl::unexpected(written.error());
    }
    const fs::path models = sources.data / "models";
    ServiceCase real{"gnn_314", models, "gnn", {small}, {{small}}};
    real.goal = 0.98;
    ServiceCase synthetic{"gnn_20000", models, "gnn", {large}, {{large}}};
    synthetic.clients = {1, 2};  // a call takes seconds
    if (libtorch_major_version() == 1) synthetic.system_malloc_goal = 1.7;
    return std::vector{real, synthetic};
}

}  // namespace farm::bench
