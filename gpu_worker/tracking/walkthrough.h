#pragma once

#include <cstddef>
#include <span>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"

namespace farm::tracking {

/// Defaults are those of the GNN4ITk paper of CTD 2023.
struct WalkthroughConfig {
    float component_cut{0.01F};  ///< an edge joins points if score > component_cut
    float walk_cut{0.1F};        ///< the best edge onward is taken if score > walk_cut
    float branch_cut{0.6F};      ///< every other one is tried, too, if score > branch_cut
    std::size_t minimum_hit_count{3};
};

/// Connected components, then a walk through those that are more than a chain (CCandWalk of acorn,
/// the GNN4ITk framework).
///
/// Edges go outward. A component in which no point has two edges in or two edges out is a track. In
/// all others each point that is left, from the inside out, begins a road along the edges that
/// WalkthroughConfig allows; the longest road is a track and takes its points. Tracks are disjoint;
/// what is shorter than minimum_hit_count has no track.
///
/// The longest road is found by dynamic programming over the points from the outside in, which
/// gives the road that trying them all gives, the first of equally long ones included (best edge
/// first, the others in the order of the edges). A road that is taken changes only what leads to
/// it, so the time is nearly linear in edges. Where acorn takes any topological order, ours is that
/// of `distances` (as for outward()). One thread; pure. Each pair of points has at most one edge.
/// Errors: those of check_scores() and outward().
Result<Tracks> walkthrough(const ScoredEdges& edges, std::span<const float> distances,
                           const WalkthroughConfig& config);

}  // namespace farm::tracking
