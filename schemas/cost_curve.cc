#include "schemas/cost_curve.h"

#include <algorithm>

namespace farm {

namespace {

double rows_per_ns(const CostPoint& point) {
    return static_cast<double>(point.rows) /
           static_cast<double>(std::max<std::uint64_t>(1, point.nanoseconds));
}

}  // namespace

std::uint32_t knee_rows(const std::vector<CostPoint>& curve) {
    double best = 0;
    for (const CostPoint& point : curve) best = std::max(best, rows_per_ns(point));
    for (const CostPoint& point : curve) {
        if (rows_per_ns(point) >= (1 - knee_tolerance) * best) return point.rows;
    }
    return 0;
}

std::uint32_t full_run_rows(const std::vector<CostPoint>& curve, std::uint32_t most_rows) {
    const std::uint32_t knee = knee_rows(curve);
    if (knee == 0 || knee == curve.back().rows) return most_rows;
    return most_rows == 0 ? knee : std::min(knee, most_rows);
}

}  // namespace farm
