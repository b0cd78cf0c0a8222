#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/load/load.h"

namespace farm::bench {

/// Paths that are measured in turns under one load, so that a machine that drifts drifts for all.
struct Round {
    Load load;
    std::vector<std::string> paths;
};

struct PlanOptions {
    std::vector<std::string> paths;
    std::vector<std::size_t> bytes;
    std::vector<int> outstanding;
    double seconds{1};
    /// Whether a path is to be measured at this size.
    std::function<bool(const std::string& path, std::size_t bytes)> is_for;
};

/// Bytes outstanding at once, one way; loads with more are left out (memory, and minutes).
inline constexpr std::size_t most_open_bytes = 256ULL << 20;

/// Every load with those paths that are for its size; no round without a path.
std::vector<Round> plan_rounds(const PlanOptions& options);

}  // namespace farm::bench
