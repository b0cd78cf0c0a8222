#pragma once

#include <vector>

#include "bench/load/load.h"

namespace farm::bench {

/// Latencies of the calls of one measurement, turned into figures.
class Latencies {
  public:
    void add(double microseconds) { microseconds_.push_back(microseconds); }
    /// `seconds`: from the first call's start to the last one's end. Percentiles by nearest rank,
    /// so that each is a latency that was seen.
    Sample summary(double seconds);

  private:
    std::vector<double> microseconds_;
};

}  // namespace farm::bench
