#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "broker/core/cost_lines.h"
#include "common/core/clock.h"
#include "schemas/cost_curve.h"
#include "schemas/service.h"

namespace farm {

/// A time that was computed, cut where peers' times are: sums of many never overflow.
inline Duration duration_of(double nanoseconds) {
    constexpr auto most = static_cast<double>(longest_device_ns);
    return Duration(static_cast<std::int64_t>(std::min(nanoseconds, most)));
}

/// Expected device time of rows on one worker: the advertised curve, scaled by what runs really
/// took: the mean of the first runs, since the very first ones are often slow, then an exponential
/// average over about ten. Without a curve the first measured run makes one. Where
/// calls can be cut, more rows than the knee of the curve are several runs, as the worker makes
/// them.
class RateEstimate {
  public:
    explicit RateEstimate(std::vector<CostPoint> curve = {}, BatchRule rule = BatchRule::none)
        : cuts_calls_(rule == BatchRule::rows) {
        set_curve(std::move(curve));
    }

    /// The worker has measured its curve again: it holds as it is, and one run more or less does
    /// not change much.
    void take_curve(std::vector<CostPoint> curve) {
        set_curve(std::move(curve));
        scale_ = 1;
        known_count_ = settled_count;
    }
    /// Rows that the worker gives one run; 0 where no size is known to be too large.
    std::uint32_t full_rows() const { return full_rows_; }

    double expected_ns(std::uint32_t rows) const { return lines_(rows) * scale_; }
    Duration expected(std::uint32_t rows) const { return duration_of(expected_ns(rows)); }

    /// A run with `rows` rows took `measured_ns` on the device.
    void observe(std::uint32_t rows, std::uint64_t measured_ns) {
        if (rows == 0 || measured_ns == 0) return;
        measured_ns = std::min(measured_ns, longest_device_ns);
        if (curve_.empty()) {
            set_curve({{rows, measured_ns}});
            return;
        }
        const double base = std::max(1.0, lines_(rows));
        const double ratio = std::clamp(static_cast<double>(measured_ns) / base, 1e-3, 1e3);
        ++known_count_;
        scale_ += std::max(1.0 / settled_count, 1.0 / static_cast<double>(known_count_)) *
                  (ratio - scale_);
    }

    /// Assumed for a service of which nothing is known yet.
    static constexpr std::uint64_t unknown_run_ns = 1'000'000;

    /// As advertised, or as the first run made it; not scaled.
    const std::vector<CostPoint>& curve() const { return curve_; }

  private:
    static constexpr std::uint64_t settled_count = 10;

    void set_curve(std::vector<CostPoint> curve) {
        curve_ = std::move(curve);
        full_rows_ = cuts_calls_ ? full_run_rows(curve_, 0) : 0;
        lines_ = CostLines(curve_, full_rows_, unknown_run_ns);
    }

    std::vector<CostPoint> curve_;
    CostLines lines_{{}, 0, unknown_run_ns};
    bool cuts_calls_{false};
    std::uint32_t full_rows_{0};  ///< 0: no size is known to be too large
    double scale_{1.0};
    std::uint64_t known_count_{1};  ///< runs that made the estimate; the curve counts as one
};

}  // namespace farm
