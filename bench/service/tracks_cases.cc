#include <fmt/format.h>

#include "bench/service/event_files.h"
#include "bench/service/service_models.h"
#include "cpu_client/events/detector.h"
#include "cpu_client/events/generator.h"
#include "cpu_client/events/hit_features.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr int event_count = 2;  ///< in turns: no two events are equal
constexpr double pileup = 20;

}  // namespace

Result<std::vector<ServiceCase>> tracks_cases(const ServiceSources& sources) {
    const auto detector = read_detector(sources.data / "trackml/detectors.csv");
    if (!detector) return tl::unexpected(detector.error());
    GeneratorOptions options;
    options.collision.pileup = pileup;
    options.with_cells = false;
    const auto generator = EventGenerator::make(*detector, options);
    if (!generator) return tl::unexpected(generator.error());
    const fs::path events = sources.scratch / "tracks";
    for (int i = 0; i < event_count; ++i) {
        const auto event = generator->generate(static_cast<std::uint32_t>(i));
        if (!event) return tl::unexpected(event.error());
        const auto written =
            write_event(events / std::to_string(i), {hit_features("FEATURES", event->hits, {})});
        if (!written) return tl::unexpected(written.error());
    }
    ServiceCase tracks{fmt::format("tracks_pu{:g}", pileup),
                       sources.data / "models",
                       "tracks",
                       {events},
                       {{events}}};
    tracks.clients = {1, 2, 4};
    tracks.goal = 0.98;
    return std::vector{tracks};
}

}  // namespace farm::bench
