#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gpu_worker/core/learned_batch_size.h"

namespace farm {

/// Runs under way on a device, and how many there were on average while one of them lasted.
/// A value; times must not go back.
class Company {
  public:
    /// What a run remembers of its beginning.
    struct Mark {
        TimePoint at;
        double run_ns{0};
    };

    void begin(TimePoint now) { pass(now), ++count_; }
    void end(TimePoint now) { pass(now), --count_; }
    std::uint32_t count() const { return count_; }
    Mark mark(TimePoint now) { return pass(now), Mark{now, run_ns_}; }
    /// Mean number of runs since then, rounded; at least 1.
    std::uint32_t since(const Mark& mark, TimePoint now);

  private:
    void pass(TimePoint now);

    TimePoint at_;
    std::uint32_t count_{0};
    double run_ns_{0};  ///< sum over all runs of how long they lasted until `at_`
};

/// The learned batch sizes of one service: one for each number of runs that share the device.
///
/// Two instances on one core halve each other's speed, and two services on one device do so as
/// well. So times are only compared with times under the same company, and a size is chosen by
/// what was learned in the company that the run begins in; where nothing was, by what was learned
/// in the one that made up most of the time. From `most_company` runs on, all are the same.
/// A value.
class BatchSizes {
  public:
    static constexpr std::uint32_t most_company = 4;

    struct Choice {
        RunSize size;
        std::uint32_t company{1};
        std::uint32_t usual_rows{UINT32_MAX};  ///< what it would be without trials
    };

    explicit BatchSizes(std::uint32_t most_rows = 0, std::vector<CostPoint> advertised = {});

    /// For a run that begins beside `company - 1` others and could have `available_rows` rows.
    Choice choose(std::uint32_t company, std::uint32_t available_rows);
    /// A run that had `company` runs on the device on average, itself included.
    void observe(std::uint32_t company, std::uint32_t rows, Duration took, const Choice& choice,
                 bool is_trial);

    /// What was learned in the most usual company.
    const LearnedBatchSize& usual() const { return by_company_[usual_]; }
    std::uint32_t rows() const { return usual().rows(); }
    /// Of a run with `rows` rows in the usual company; as advertised while nothing is measured.
    Duration expected(std::uint32_t rows) const;
    std::vector<CostPoint> points() const { return usual().times().points(); }

  private:
    std::vector<LearnedBatchSize> by_company_;
    std::size_t usual_{0};
    std::vector<CostPoint> advertised_;
};

}  // namespace farm
