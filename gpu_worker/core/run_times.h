#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/core/clock.h"
#include "schemas/service.h"

namespace farm {

/// How long runs of one service take on this worker, by rows: a curve of at most 33 points, one for
/// each *size class* (1, 2, 3-4, 5-8, 9-16 rows and so on: what a limit of 2^n rows admits and one
/// of half does not).
///
/// What it believes of a class is the mean of its last runs without the slowest quarter, so one
/// stall counts for nothing, and what happens in every second run counts. The first two runs of a
/// class are forgotten when the third comes: they compile and warm up. Three runs in a row on one
/// side of that mean, by a quarter of it, say that the device has changed: older ones are
/// forgotten. A class with as many runs as are kept is looked at again after four runs that took
/// `look_every` together, or more of them: looking costs a microsecond.
/// A value; at most `kept_count` runs of each class are remembered.
class RunTimes {
  public:
    static constexpr std::size_t class_count = 33;
    static constexpr std::size_t kept_count = 16;
    static constexpr std::uint32_t first_run_count = 2;
    static constexpr Duration look_every = std::chrono::microseconds(200);
    /// A class is known from so many runs on, not counting the first ones.
    static constexpr std::size_t known_from_count = 3;

    RunTimes() = default;
    /// `advertised` stands in for what is not measured yet.
    explicit RunTimes(std::vector<CostPoint> advertised) : advertised_(std::move(advertised)) {}

    /// 0 for 1 row, 1 for 2, 2 for 3 and 4, ...
    static std::size_t class_of(std::uint32_t rows);
    /// The most rows of this class.
    static std::uint32_t most_rows(std::size_t size_class);

    /// True when it may have changed what is believed.
    bool observe(std::uint32_t rows, Duration took);

    /// Of a run with `rows` rows; 0 while nothing is known.
    Duration expected(std::uint32_t rows) const;
    bool knows(std::size_t size_class) const;
    /// Past the largest class that was observed.
    std::size_t class_end() const { return classes_.size(); }
    /// Of a class that was observed.
    double ns_per_row(std::size_t size_class) const;
    /// Mean rows and time of each known class, ascending.
    std::vector<CostPoint> points() const;

  private:
    struct SizeClass {
        std::vector<CostPoint> runs;    ///< the last ones, oldest first
        std::uint32_t seen_count{0};    ///< up to first_run_count + known_from_count
        std::uint32_t unseen_count{0};  ///< runs since the last look
        Duration unseen_time{0};        ///< of these
        CostPoint mean{0, 0};           ///< rows 0: not observed

        bool add(CostPoint run);
        bool has_changed() const;
    };

    std::vector<CostPoint> advertised_;
    std::vector<SizeClass> classes_;  ///< as far as they were needed
};

}  // namespace farm
