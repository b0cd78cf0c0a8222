#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gpu_worker/tracking/edges.h"

namespace farm::tracking {

/// Collects a graph from its rows, the smaller neighbours of each point, which tasks find in any
/// order, and puts them in one: edges from the larger to the smaller index, ascending by (source,
/// target).
///
/// Rows come in parts; each part is filled by one thread at a time, different parts by different
/// threads. Each point has one row at most. Memory: twice that of the edges, which are at most
/// `edge_limit` and one row of each thread.
class GraphRows {
  public:
    GraphRows(std::size_t point_count, std::size_t part_count, std::size_t edge_limit)
        : edge_limit_(edge_limit), parts_(part_count), row_ends_(point_count) {}

    /// There are more edges than the limit: what is still found is of no use.
    bool overflows() const { return edge_count_.load(std::memory_order_relaxed) > edge_limit_; }

    /// Sorts the row, takes its values and leaves it empty.
    void add(std::size_t part, std::int32_t point, std::vector<std::int32_t>& row);

    /// Once, after all rows, and unless it overflows.
    Edges take();

  private:
    struct Part {
        std::vector<std::int32_t> points;
        std::vector<std::int32_t> neighbours;  ///< of these points, one after another
    };

    void place(const Part& part, Edges& edges) const;

    std::size_t edge_limit_;
    std::vector<Part> parts_;
    std::vector<std::size_t> row_ends_;  ///< until take(): the size of each point's row
    std::atomic<std::size_t> edge_count_{0};
};

}  // namespace farm::tracking
