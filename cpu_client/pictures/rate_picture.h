#pragma once

#include <cstdint>
#include <string>

#include "cpu_client/events/truth_metrics.h"

namespace farm {

struct Interval {
    double low{0}, high{1};
};

/// Where the true rate lies with 68.3 %, when `passed` of `total` did: Wilson's interval (1927),
/// which keeps within 0 and 1 and has a width at 0 and 1, too. All of 0 to 1 for a total of 0.
Interval binomial_interval(std::uint64_t passed, std::uint64_t total);

/// Double-majority efficiency and fake rate against pT and |eta| as SVG, with binomial errors; bins
/// without particles, or clusters, have no point. `selection` bounds the axes.
std::string draw_rates(const std::string& title, const TrackMetrics& metrics,
                       const ParticleSelection& selection);

}  // namespace farm
