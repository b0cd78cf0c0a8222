#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "schemas/cost_curve.h"

namespace farm {

/// Expected time of any number of rows in full runs of `full_rows` (0: one run, whatever its size):
/// cost_at() of one curve, drawn as straight lines once, for who asks many times a call.
class CostLines {
  public:
    /// Of an empty curve: `fallback_ns` for any rows.
    CostLines(const std::vector<CostPoint>& curve, std::uint32_t full_rows,
              std::uint64_t fallback_ns)
        : full_rows_(full_rows == 0 ? UINT32_MAX : full_rows) {
        lines_.reserve(curve.size() + 1);
        for (std::size_t i = 0; i < curve.size(); ++i) {
            lines_.push_back(i == 0 ? level(curve[i]) : between(curve[i - 1], curve[i]));
        }
        lines_.push_back(curve.empty() ? Line{UINT32_MAX, static_cast<double>(fallback_ns), 0}
                                       : proportional(curve.back()));
    }

    /// Nanoseconds.
    double operator()(std::uint32_t rows) const {
        if (rows <= full_rows_) return of_one_run(rows);
        const std::uint32_t rest = rows % full_rows_;
        const double full = of_one_run(full_rows_) * (rows / full_rows_);
        return rest == 0 ? full : full + of_one_run(rest);
    }

  private:
    struct Line {
        std::uint32_t up_to_rows{UINT32_MAX};
        double fixed_ns{0};
        double row_ns{0};
    };

    static Line level(const CostPoint& first) {
        return {first.rows, static_cast<double>(first.nanoseconds), 0};
    }
    static Line between(const CostPoint& low, const CostPoint& high) {
        const double row_ns =
            (static_cast<double>(high.nanoseconds) - static_cast<double>(low.nanoseconds)) /
            (high.rows - low.rows);
        return {high.rows, static_cast<double>(low.nanoseconds) - row_ns * low.rows, row_ns};
    }
    static Line proportional(const CostPoint& last) {
        return {UINT32_MAX, 0,
                static_cast<double>(last.nanoseconds) / std::max<std::uint32_t>(1, last.rows)};
    }

    double of_one_run(std::uint32_t rows) const {
        const Line* line = lines_.data();
        while (rows > line->up_to_rows) ++line;
        return line->fixed_ns + line->row_ns * rows;
    }

    std::vector<Line> lines_;  ///< ascending; the last goes on for ever
    std::uint32_t full_rows_;
};

}  // namespace farm
