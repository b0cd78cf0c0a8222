#pragma once

#include <cstdint>
#include <vector>

#include "common/core/clock.h"
#include "schemas/service.h"

namespace farm {

/// How long runs of one service take on this worker: the advertised curve until runs are measured,
/// then a moving mean for each power of two of rows. A value; at most 33 points.
class RunTimes {
  public:
    RunTimes() = default;
    explicit RunTimes(std::vector<CostPoint> advertised) : advertised_(std::move(advertised)) {}

    void observe(std::uint32_t rows, Duration took);
    /// Of a run with `rows` rows; 0 while nothing is known.
    Duration expected(std::uint32_t rows) const;

  private:
    std::vector<CostPoint> advertised_;
    std::vector<CostPoint> measured_;  ///< ascending in rows, one for each power of two
};

}  // namespace farm
