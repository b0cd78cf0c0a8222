#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"

namespace farm {

inline constexpr std::size_t load_level_limit_count = 64;

/// "8", "1:64" (1, 2, 4, ... 64) or "10:50:20" (10, 30, 50): ascending, the last number included
/// when the doubling or the step does not hit it. `flag` is named in errors, `highest` is the
/// limit of a level.
Result<std::vector<double>> parse_load_levels(std::string_view flag, std::string_view text,
                                              double highest);

}  // namespace farm
