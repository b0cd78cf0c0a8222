#pragma once

#include <array>
#include <cstdint>

#include "gpu_worker/core/run_times.h"

namespace farm {

/// How many rows the next run may have.
struct RunSize {
    std::uint32_t rows{UINT32_MAX};
    bool is_trial{false};  ///< another size than the one that is believed best, to learn from it

    friend bool operator==(const RunSize&, const RunSize&) = default;
};

/// The size of runs that one service does best with on this device, learned from the runs that it
/// makes: the knee of its curve of rows/s (knee_rows()). While nothing speaks against it that is
/// the configured limit; sizes above the largest known one are presumed to be as good.
///
/// It decides the size only; it never asks to wait for calls. Once the usual size is known, others
/// that the calls at hand allow are tried in between, never two in a row: unknown ones at once, the
/// one nearest to the usual size first, and one above the usual only next to a size that is known
/// and not much worse; known ones again when they are due, and at once when a trial was much faster
/// than believed: the device has changed. What a trial costs is the device time that its rows would
/// not have needed at the best size, by what is believed after it, and at least half of its time.
/// Each of the n size classes up to the largest seen may spend `trial_share / n` of the
/// device's time, and is due when it has done so; so trials cost
///     at most trial_share of the time of all runs + one trial and the first five runs of each
///     class, and three whenever one has become faster,
/// and take at most 2 x trial_share of the time (p99 hardly sees them). The same runs give the same
/// sizes. A value.
class LearnedBatchSize {
  public:
    static constexpr double trial_share = 0.01;

    LearnedBatchSize() = default;
    /// `most_rows`: as configured; 0: no limit.
    explicit LearnedBatchSize(std::uint32_t most_rows);

    /// For a run that begins now and could have `available_rows` rows at most.
    RunSize choose(std::uint32_t available_rows);
    /// A run (or a slice of one) that choose() gave `size` for has ended well. `counts` is false
    /// when its time says nothing about its size, for example because something else ran beside it.
    void observe(std::uint32_t rows, Duration took, RunSize size, bool counts = true);

    /// Rows of a full run.
    std::uint32_t rows() const { return rows_; }
    /// Nothing speaks against the configured limit.
    bool is_at_limit() const { return rows_ == most_rows_; }
    /// Whether some class is known.
    bool has_learned() const { return has_learned_; }
    const RunTimes& times() const { return times_; }
    /// Of all runs.
    Duration busy() const { return busy_; }

  private:
    bool may_try(std::size_t size_class, std::size_t usual) const;
    void charge(std::size_t size_class, std::uint32_t rows, Duration took);
    void find_knee();

    RunTimes times_;
    std::uint32_t most_rows_{UINT32_MAX};
    std::uint32_t rows_{UINT32_MAX};
    std::size_t knee_{0};  ///< class of the knee among those that are known
    bool has_learned_{false};
    bool tried_last_{true};  ///< a service begins with a run of the usual size
    Duration busy_{0};
    std::array<Duration, RunTimes::class_count> due_{};  ///< in device time, as busy_
};

}  // namespace farm
