#include <fstream>
#include <string>

#include <fmt/format.h>

#include "bench/samples/event_sample.h"
#include "bench/service/event_files.h"
#include "bench/service/service_models.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* model = "tracks";
constexpr int event_count = 2;  ///< in turns: no two events are equal
constexpr double pileup = 20;

Result<void> write_events(const fs::path& folder, const EventSample& sample) {
    for (std::size_t i = 0; i < sample.events.size(); ++i) {
        const auto done = write_event(folder / std::to_string(100 + i), {sample.events[i]});
        if (!done) return done;
    }
    return {};
}

/// What lets small events share a run; rows are space points.
constexpr const char* ragged_tensors = R"(name: "tracks"
backend: "tracks"
max_batch_size: 65536
input [ { name: "FEATURES" data_type: TYPE_FP32 dims: [ 3 ] } ]
output [ { name: "LABELS" data_type: TYPE_INT64 dims: [ ] } ]
batch_input [ {
  kind: BATCH_ACCUMULATED_ELEMENT_COUNT
  target_name: "EVENT_ENDS"
  data_type: TYPE_INT64
  source_input: "FEATURES"
} ]
)";

/// The entry with its own parameters, which stand on one line each, and these tensors.
Result<void> write_ragged_repository(const fs::path& entry, const fs::path& repository) {
    const fs::path config = entry / "config.pbtxt";
    std::ifstream given(config);
    std::string parameters;
    for (std::string line; std::getline(given, line);) {
        if (line.starts_with("parameters ")) parameters += line + '\n';
    }
    if (parameters.empty()) {
        return fail(ErrorCode::not_found, "'" + config.string() +
                                              "' is not there, or no line of it begins with "
                                              "\"parameters\": give --data of the project");
    }
    const fs::path made = repository / model;
    std::error_code error;
    fs::create_directories(made, error);
    if (!error) fs::create_directory_symlink(entry / "1", made / "1", error);
    std::ofstream written(made / "config.pbtxt");
    if (!error && (written << ragged_tensors << parameters).flush()) return {};
    return fail(ErrorCode::io, "cannot write the repository '" + made.string() +
                                   "': " + (error ? error.message() : "is the disk full?"));
}

}  // namespace

Result<std::vector<ServiceCase>> tracks_cases(const ServiceSources& sources) {
    const auto detector = read_detector(sources.data / "trackml/detectors.csv");
    if (!detector) return tl::unexpected(detector.error());
    const auto large = draw_sample(*detector, pileup, event_count, {});
    if (!large) return tl::unexpected(large.error());
    const auto small = read_sample(sources.data / "events/lrt");
    if (!small) return tl::unexpected(small.error());
    const fs::path models = sources.data / "models";
    const fs::path ragged_models = sources.scratch / "tracks_ragged";
    const EventFolder crossings{sources.scratch / "tracks"};
    const EventFolder lrt{sources.scratch / "tracks_lrt"};
    for (const auto& written :
         {write_events(crossings.path, *large), write_events(lrt.path, *small),
          write_ragged_repository(models / model, ragged_models)}) {
        if (!written) return tl::unexpected(written.error());
    }
    ServiceCase one_by_one{
        fmt::format("tracks_pu{:g}", pileup), models, model, crossings, {crossings}};
    one_by_one.clients = {1, 2, 4};
    one_by_one.goal = 0.98;
    ServiceCase together{"tracks_lrt", ragged_models, model, lrt, {lrt}};
    together.clients = {1, 4, 16, 64};
    together.goal = 0.98;
    return std::vector{one_by_one, together};
}

}  // namespace farm::bench
