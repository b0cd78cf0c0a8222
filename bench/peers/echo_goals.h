#pragma once

#include <vector>

#include "bench/load/goal.h"
#include "bench/peers/row.h"

namespace farm::bench {

/// What eventfarm's paths are to reach beside their peers, as far as both are in `rows`; of several
/// peers the faster one counts. Goals of paths that are not there say "not measured".
std::vector<GoalResult> echo_goals(const std::vector<Row>& rows);

}  // namespace farm::bench
