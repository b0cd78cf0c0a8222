#pragma once

#include <cstddef>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/limits.h"

namespace farm::tracking {

struct RadiusGraphConfig {
    float radius{1.6F};
    std::size_t edge_limit{limits::edge_count};  ///< before the limit of neighbours
    /// An edge stays if it is among that many nearest of either of its points; 0: all stay.
    std::size_t neighbour_limit{0};
};

/// Errors: invalid for a radius whose square is not positive and finite.
Result<void> check_radius(float radius);

/// The error of a graph with more edges than its limit.
tl::unexpected<Error> too_many_edges(float radius, std::size_t edge_limit, std::size_t point_count);

/// All pairs of points whose distance is at most `radius`: exact, each pair once, with no limit of
/// neighbours unless one is asked for. An edge goes from the larger to the smaller index (as in the
/// Exa.TrkX reference), and edges ascend by (source, target), whatever the number of threads.
///
/// A pair is an edge if d2 <= radius * radius in float32, with the d2 of tile_distance.h, so that
/// any twin gives the same set. Runs on oneTBB's threads; pure.
/// Errors: those of check_points() and check_radius(); too_large for more than `edge_limit` edges,
/// found before memory for them is taken.
Result<Edges> radius_graph(const Points& points, const RadiusGraphConfig& config);

}  // namespace farm::tracking
