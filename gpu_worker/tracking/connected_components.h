#pragma once

#include <cstddef>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"

namespace farm::tracking {

/// Points that edges join, directly or through others, are one track; a point without an edge is a
/// track of its own. Directions do not matter.
///
/// Union-find without locks on oneTBB's threads; roots are smallest indices, so the labels do not
/// depend on the number of threads or the order of the edges. Errors: those of check_edges().
Result<Tracks> connected_components(std::size_t point_count, const EdgesView& edges);

/// Tracks of fewer than `minimum_hit_count` points become no_track; the others are numbered anew.
Tracks without_small_tracks(Tracks tracks, std::size_t minimum_hit_count);

}  // namespace farm::tracking
