#include "bench/samples/event_sample.h"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "cpu_client/events/generator.h"
#include "cpu_client/events/hit_features.h"
#include "cpu_client/events/space_points.h"

namespace farm::bench {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view features_name = "FEATURES";

}  // namespace

double EventSample::mean_point_count() const {
    std::int64_t points = 0;
    for (const Tensor& event : events) points += event.desc.shape.front();
    return static_cast<double>(points) / static_cast<double>(events.size());
}

Result<EventSample> draw_sample(const Detector& detector, double pileup, int event_count,
                                const FeatureScales& scales) {
    GeneratorOptions options;
    options.collision.pileup = pileup;
    options.with_cells = false;
    const auto generator = EventGenerator::make(detector, options);
    if (!generator) return tl::unexpected(generator.error());
    EventSample sample{fmt::format("pile-up {:g}", pileup), {}};
    for (int i = 0; i < event_count; ++i) {
        const auto event = generator->generate(static_cast<std::uint32_t>(i));
        if (!event) return tl::unexpected(event.error());
        sample.events.push_back(hit_features(features_name, event->hits, scales));
    }
    return sample;
}

Result<EventSample> read_sample(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".csv") files.push_back(entry.path());
    }
    if (files.empty()) {
        return fail(ErrorCode::not_found, "--points '" + folder.string() + "' has no .csv files" +
                                              (error ? ": " + error.message() : ""));
    }
    std::ranges::sort(files);
    EventSample sample{folder.filename().string(), {}};
    for (const fs::path& file : files) {
        const auto points = read_space_points(file, SpacePointUnits{});
        if (!points) return tl::unexpected(points.error());
        sample.events.push_back(to_tensor(features_name, *points));
    }
    return sample;
}

}  // namespace farm::bench
