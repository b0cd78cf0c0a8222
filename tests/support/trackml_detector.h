#pragma once

#include <stdexcept>

#include "cpu_client/events/detector.h"

namespace farm::testing {

/// The detector of the TrackML challenge; throws when its file cannot be read.
inline const Detector& trackml() {
    static const Detector detector = [] {
        auto made = read_detector("data/trackml/detectors.csv");
        if (!made) throw std::runtime_error(made.error().message);
        return *std::move(made);
    }();
    return detector;
}

}  // namespace farm::testing
