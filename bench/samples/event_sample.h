#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/detector.h"
#include "schemas/feature_scales.h"
#include "schemas/tensor.h"

namespace farm::bench {

/// Events of one kind, each as the FEATURES of a track finding service.
struct EventSample {
    std::string name;  ///< "pile-up 200"
    std::vector<Tensor> events;

    double mean_point_count() const;
};

/// Events of the generator, the same at every run. Errors: those of EventGenerator.
Result<EventSample> draw_sample(const Detector& detector, double pileup, int event_count,
                                const FeatureScales& scales);

/// The space points of each .csv file of a folder (lines "r,phi,z" in the units of the networks),
/// in the order of the files' names. Errors: not_found for a folder without such files; those of
/// read_space_points().
Result<EventSample> read_sample(const std::filesystem::path& folder);

}  // namespace farm::bench
