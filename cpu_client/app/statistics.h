#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace farm {

/// The smallest sample that at least `fraction` of all samples do not pass (nearest rank), so every
/// result is a value that was seen. 0 without samples. `sorted` ascends.
double percentile(std::span<const double> sorted, double fraction);
double mean(std::span<const double> samples);

/// What perf_analyzer does: the load is steady once rate and latency of three windows in a row are
/// within a tenth of their mean.
class StableWindows {
  public:
    static constexpr std::size_t window_count = 3;
    static constexpr double tolerance = 0.1;

    struct Window {
        double calls_per_s{0};
        double latency_ms{0};  ///< mean
    };

    void add(Window window);
    /// The last three windows exist, saw calls, and agree.
    bool stable() const;

  private:
    std::deque<Window> last_;
};

}  // namespace farm
