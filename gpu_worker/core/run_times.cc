#include "gpu_worker/core/run_times.h"

#include <algorithm>
#include <bit>

namespace farm {

void RunTimes::observe(std::uint32_t rows, Duration took) {
    rows = std::max(rows, 1U);
    const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 1));
    const auto place = std::ranges::find_if(measured_, [&](const CostPoint& point) {
        return std::bit_width(point.rows) >= std::bit_width(rows);
    });
    if (place == measured_.end() || std::bit_width(place->rows) != std::bit_width(rows)) {
        measured_.insert(place, {rows, nanoseconds});
        return;
    }
    // Weight 1/4: a few runs forget a cold start, one outlier does not rule.
    place->rows = static_cast<std::uint32_t>((3 * std::uint64_t{place->rows} + rows) / 4);
    place->nanoseconds = place->nanoseconds - place->nanoseconds / 4 + nanoseconds / 4;
}

Duration RunTimes::expected(std::uint32_t rows) const {
    const std::uint64_t ns = cost_at(measured_.empty() ? advertised_ : measured_, rows, 0);
    return Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(ns, INT64_MAX)));
}

}  // namespace farm
