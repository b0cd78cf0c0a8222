#include "cpu_client/app/demo_events.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "common/ops/npy.h"
#include "cpu_client/events/generator.h"

namespace farm {

Result<std::vector<DemoEvent>> make_demo_events(const DemoEventOptions& options,
                                                const ParticleSelection& selection) {
    const auto detector = read_detector(options.detector);
    if (!detector) return tl::unexpected(detector.error());
    GeneratorOptions generation;
    generation.seed = options.seed;
    generation.collision.pileup = options.pileup;
    generation.with_cells = false;
    const auto generator = EventGenerator::make(*detector, generation);
    if (!generator) return tl::unexpected(generator.error());
    std::vector<DemoEvent> events;
    for (std::uint32_t number = 1; number <= options.count; ++number) {
        auto made = generator->generate(number);
        if (!made) return tl::unexpected(made.error());
        auto truth = EventTruth::make(*made, selection);
        if (!truth) return tl::unexpected(truth.error());
        events.push_back(
            {fmt::format("event-{}", number), std::move(made->hits), std::move(*truth)});
    }
    return events;
}

Result<void> write_bench_inputs(std::span<const DemoEvent> events, const TrackService& service,
                                const std::filesystem::path& folder) {
    for (std::size_t k = 0; k < events.size(); ++k) {
        const std::filesystem::path own = folder / fmt::format("{:04}", k);
        std::error_code error;  // shows in the writing
        std::filesystem::create_directories(own, error);
        for (const Input& input : service.inputs(events[k].hits, false)) {
            const auto written =
                write_npy(own / (input.name + ".npy"),
                          {{input.name, input.value.type, input.value.shape}, input.value.data});
            if (!written) return written;
        }
    }
    return {};
}

}  // namespace farm
