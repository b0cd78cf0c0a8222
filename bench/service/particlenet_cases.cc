#include <fstream>
#include <iterator>

#include "bench/service/cnn_model.h"
#include "bench/service/event_files.h"
#include "bench/service/service_models.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* model = "particlenet_AK4_PT";
constexpr std::uint32_t unequal_jet_count = 64;

/// Jets with so many particles and secondary vertices, all of them there.
std::vector<Tensor> jets(std::int64_t rows, std::int64_t particles, std::int64_t vertices,
                         std::mt19937& engine) {
    return {random_floats("pf_points__0", {rows, 2, particles}, engine),
            random_floats("pf_features__1", {rows, 20, particles}, engine),
            constant_floats("pf_mask__2", {rows, 1, particles}, 1),
            random_floats("sv_points__3", {rows, 2, vertices}, engine),
            random_floats("sv_features__4", {rows, 11, vertices}, engine),
            constant_floats("sv_mask__5", {rows, 1, vertices}, 1)};
}

/// What lets jets of unequal size share a run, beside what the repository says.
constexpr const char* unequal_parameters = R"(
parameters { key: "farm.batch" value { string_value: "pad_mask" } }
parameters {
  key: "farm.pad_inputs"
  value {
    string_value: "pf_points__0+pf_features__1+pf_mask__2, sv_points__3+sv_features__4+sv_mask__5"
  }
}
)";

/// The entry as it is, under one repository; and a copy of its configuration that pads.
Result<void> write_repositories(const fs::path& entry, const fs::path& as_is,
                                const fs::path& padding) {
    std::ifstream stream(entry / "config.pbtxt");
    const std::string config{std::istreambuf_iterator<char>(stream), {}};
    if (config.empty()) {
        return fail(ErrorCode::not_found,
                    "'" + (entry / "config.pbtxt").string() + "' is not there");
    }
    std::error_code error;
    fs::create_directories(as_is, error);
    fs::create_directory_symlink(fs::absolute(entry), as_is / model, error);
    fs::create_directories(padding / model, error);
    for (const char* part : {"1", "particlenet_labels.txt"}) {
        fs::create_symlink(fs::absolute(entry) / part, padding / model / part, error);
    }
    std::ofstream(padding / model / "config.pbtxt") << config << unequal_parameters;
    return error ? fail(ErrorCode::io, "cannot write a repository: " + error.message())
                 : Result<void>{};
}

}  // namespace

Result<std::vector<ServiceCase>> particlenet_cases(const ServiceSources& sources) {
    const fs::path as_is = sources.scratch / "particlenet";
    const fs::path padding = sources.scratch / "particlenet_padding";
    if (const auto done = write_repositories(sources.particlenet, as_is, padding); !done) {
        return tl::unexpected(done.error());
    }
    std::mt19937 engine(3);
    const auto batch = [&](std::uint32_t rows) -> EventFolder {
        return {sources.scratch / ("jets_" + std::to_string(rows)), rows};
    };
    for (const std::uint32_t rows : {1U, 16U, 50U, 100U, 200U}) {
        const auto done = write_event(batch(rows).path / "0", jets(rows, 50, 5, engine));
        if (!done) return tl::unexpected(done.error());
    }
    const EventFolder unequal{sources.scratch / "jets_unequal", 1};
    std::uniform_int_distribution<std::int64_t> particles(8, 50);
    std::uniform_int_distribution<std::int64_t> vertices(1, 5);
    for (std::uint32_t i = 0; i < unequal_jet_count; ++i) {
        const auto done = write_event(unequal.path / std::to_string(100 + i),
                                      jets(1, particles(engine), vertices(engine), engine));
        if (!done) return tl::unexpected(done.error());
    }
    std::vector<ServiceCase> cases;
    for (const std::uint32_t rows : {1U, 16U, 100U}) {
        ServiceCase& one = cases.emplace_back(
            ServiceCase{"particlenet", as_is, model, batch(rows), {batch(rows)}});
        one.goal = 0.98;
        if (rows == 100) one.system_malloc_goal = 1.3;
    }
    // The last batch is what Triton's preferred batch size makes of it.
    ServiceCase mixed{"particlenet_16x16",
                      as_is,
                      model,
                      batch(16),
                      {batch(1), batch(16), batch(50), batch(100), batch(200)}};
    mixed.clients = {16};
    mixed.goal = 0.95;
    mixed.system_malloc_goal = libtorch_major_version() >= 2 ? 2.5 : 1.5;
    cases.push_back(mixed);
    ServiceCase one_by_one{"particlenet_unequal", padding, model, unequal, {unequal}};
    one_by_one.goal = 0.98;
    cases.push_back(one_by_one);
    ServiceCase two_instances = one_by_one;
    two_instances.name = "particlenet_unequal_2_instances";
    two_instances.clients = {16};
    two_instances.instances = 2;
    two_instances.goal = 0;
    two_instances.p99_goal = 2;
    cases.push_back(two_instances);
    return cases;
}

}  // namespace farm::bench
