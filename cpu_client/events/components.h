#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/candidate_edges.h"

namespace farm {

/// Track candidates: points joined by kept edges, directly or through others. `label[i]` is the
/// candidate of point i; labels are 0, 1, ... in the order of each candidate's first point. A point
/// without an edge is a candidate of its own.
struct Components {
    std::vector<std::uint32_t> label;
    std::uint32_t count{0};
    std::size_t kept_edge_count{0};
};

/// Keeps the edges with sigmoid(logit) > cut and joins what they connect (union-find, the smallest
/// index is the root). `logits` come from outside: another length than the edges is an error
/// (invalid); a NaN is not above any cut. `cut` lies strictly between 0 and 1.
Result<Components> connected_components(std::size_t point_count, const EdgeList& edges,
                                        std::span<const float> logits, double cut);

}  // namespace farm
