#include "gpu_worker/tracking/graph_rows.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <numeric>

#include "common/core/expect.h"

namespace farm::tracking {

void GraphRows::add(std::size_t part, std::int32_t point, std::vector<std::int32_t>& row) {
    if (row.empty()) return;
    std::ranges::sort(row);
    parts_[part].points.push_back(point);
    auto& neighbours = parts_[part].neighbours;
    neighbours.insert(neighbours.end(), row.begin(), row.end());
    row_ends_[static_cast<std::size_t>(point)] = row.size();
    edge_count_.fetch_add(row.size(), std::memory_order_relaxed);
    row.clear();
}

Edges GraphRows::take() {
    FARM_EXPECT(!overflows());
    std::inclusive_scan(row_ends_.begin(), row_ends_.end(), row_ends_.begin());
    const std::size_t count = edge_count_.load();
    Edges edges{std::vector<std::int32_t>(count), std::vector<std::int32_t>(count)};
    oneapi::tbb::parallel_for(std::size_t{0}, parts_.size(),
                              [&](std::size_t part) { place(parts_[part], edges); });
    return edges;
}

void GraphRows::place(const Part& part, Edges& edges) const {
    auto next = part.neighbours.begin();
    for (const std::int32_t point : part.points) {
        const auto row = static_cast<std::size_t>(point);
        const std::size_t begin = row == 0 ? 0 : row_ends_[row - 1];
        const auto at = static_cast<std::ptrdiff_t>(begin);
        const auto size = static_cast<std::ptrdiff_t>(row_ends_[row] - begin);
        std::copy_n(next, size, edges.target.begin() + at);
        std::fill_n(edges.source.begin() + at, size, point);
        next += size;
    }
}

}  // namespace farm::tracking
