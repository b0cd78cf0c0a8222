#pragma once

#include <cstdint>
#include <vector>

#include "schemas/service.h"

namespace farm {

/// What a cost curve says about the size of a run. Pure functions of points that ascend in rows.

/// The knee: the smallest measured size whose rows/s come within `knee_tolerance` of the best
/// measured one; the least rows of a curve are waited for the least. 0 for an empty curve.
///
/// Kleinrock's knee (throughput over delay, ICC 1979) would give up half of the rate of a device
/// with a fixed cost per run; a farm has few devices, so we give up hardly any.
std::uint32_t knee_rows(const std::vector<CostPoint>& curve);
inline constexpr double knee_tolerance = 0.03;

/// Rows of a full run of a service with this curve: the knee where more rows were measured and
/// proved no better, else `most_rows`, its limit. `most_rows` of 0 means no limit: 0 is returned.
std::uint32_t full_run_rows(const std::vector<CostPoint>& curve, std::uint32_t most_rows);

}  // namespace farm
