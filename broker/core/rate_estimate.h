#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/core/clock.h"
#include "schemas/service.h"

namespace farm {

/// Expected device time of a run on one worker: the advertised curve, scaled by what runs really
/// took: the mean of the first runs, since the very first ones are often slow, then an exponential
/// average over about ten. Without a curve the first measured run makes one.
class RateEstimate {
  public:
    explicit RateEstimate(std::vector<CostPoint> curve = {}) : curve_(std::move(curve)) {}

    Duration expected(std::uint32_t rows) const {
        const std::uint64_t base = cost_at(curve_, rows, unknown_run_ns);
        return Duration(static_cast<std::int64_t>(static_cast<double>(base) * scale_));
    }

    /// A run with `rows` rows took `measured_ns` on the device.
    void observe(std::uint32_t rows, std::uint64_t measured_ns) {
        if (rows == 0 || measured_ns == 0) return;
        if (curve_.empty()) {
            curve_.push_back({rows, measured_ns});
            return;
        }
        const auto base = static_cast<double>(std::max<std::uint64_t>(1, cost_at(curve_, rows, 1)));
        const double ratio = std::clamp(static_cast<double>(measured_ns) / base, 1e-3, 1e3);
        ++known_count_;
        scale_ += std::max(0.1, 1.0 / static_cast<double>(known_count_)) * (ratio - scale_);
    }

    /// Assumed for a service of which nothing is known yet.
    static constexpr std::uint64_t unknown_run_ns = 1'000'000;

    /// As advertised, or as the first run made it; not scaled.
    const std::vector<CostPoint>& curve() const { return curve_; }

  private:
    std::vector<CostPoint> curve_;
    double scale_{1.0};
    std::uint64_t known_count_{1};  ///< runs that made the estimate; the curve counts as one
};

}  // namespace farm
