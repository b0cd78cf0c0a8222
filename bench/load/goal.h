#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/load/series.h"

namespace farm::bench {

/// A figure to reach: a ratio of two things measured in one run, and its limit.
struct Goal {
    enum class Sense { at_least, at_most };

    std::string what;  ///< "routed / zmq_proxy, 1 KB, 8 outstanding: calls/s"
    Sense sense{Sense::at_least};
    double limit{1};
};

/// What came of a goal.
struct GoalResult {
    Goal goal;
    std::optional<Spread> ratio;  ///< nothing: one of the two was not measured

    bool met() const;
};

/// A table with one line for each, "not measured" where that is so.
std::string goal_table(const std::vector<GoalResult>& results);
/// [{"what", "sense": ">=", "limit", "ratio", "low", "high", "met"}]; null where not measured.
std::string goal_json(const std::vector<GoalResult>& results);

}  // namespace farm::bench
