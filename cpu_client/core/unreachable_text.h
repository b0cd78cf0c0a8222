#pragma once

#include <string>
#include <vector>

#include "common/core/clock.h"

namespace farm {

/// "2.0 s"
std::string seconds_text(Duration duration);

/// Which addresses were tried, for how long, and what the last of them said.
std::string unreachable_text(const std::vector<std::string>& addresses, Duration tried_for,
                             const std::string& last_problem);

}  // namespace farm
