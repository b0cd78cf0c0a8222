#pragma once

#include <cstddef>

#include "gpu_worker/tracking/edges.h"

namespace farm::tracking {

/// Keeps an edge if it is among the `neighbour_limit` nearest of either of its points, in its
/// order; of equally near neighbours the smaller index counts as nearer. Distances are those of
/// tile_distance.h. Requires checked points and edges, each pair of points once. Runs on oneTBB's
/// threads; pure. Memory: 13 bytes for each edge, beside the result.
Edges nearest_edges(const Points& points, const Edges& edges, std::size_t neighbour_limit);

}  // namespace farm::tracking
