#pragma once

#include <cstddef>
#include <span>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"

namespace farm::tracking {

/// The edges with score > cut, in their order. Requires as many scores as edges.
ScoredEdges edges_above(const EdgesView& edges, std::span<const float> scores, float cut);

/// Turns each edge so that its source is the point nearer to the origin (of equally near ones the
/// smaller index), which makes a graph without cycles of any. `distances`: of each point, in any
/// unit and power, finite. Errors: those of check_edges(), invalid for a distance that is not
/// finite or an edge from a point to itself.
Result<Edges> outward(Edges edges, std::span<const float> distances);

/// Keeps an edge if it is the best that leaves its source and the best that enters its target (of
/// equally good ones the first), so that what is left are chains. Of oriented edges.
/// Errors: those of check_scores().
Result<ScoredEdges> junction_removal(const ScoredEdges& edges, std::size_t point_count);

}  // namespace farm::tracking
