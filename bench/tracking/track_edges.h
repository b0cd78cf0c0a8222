#pragma once

#include <cstdint>
#include <vector>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/walkthrough.h"

namespace farm::bench {

/// What track building starts from: 200 000 points on tracks of 10, each joined with its neighbour
/// on the track by a good edge, and random edges between points of tracks that are close by, 1 M in
/// all; a fixed seed. Point i lies on track i % track_count.
struct TrackEdges {
    static constexpr std::int32_t point_count = 200'000;
    static constexpr std::int32_t track_count = 20'000;
    static constexpr std::size_t edge_count = 1'000'000;
    /// As data/models/tracks has it.
    static constexpr tracking::WalkthroughConfig learned_config{
        .component_cut = 0.2F, .walk_cut = 0.2F, .branch_cut = 0.7F};

    tracking::ScoredEdges edges;
    /// What a trained network would say of the same edges: one random edge in 67 is above
    /// learned_config.walk_cut. With the scores of `edges` nearly all points are one component.
    std::vector<float> learned_scores;
    std::vector<float> distances;  ///< of the points from the origin
};

/// The same for the whole program; made by the first call.
const TrackEdges& track_edges();

}  // namespace farm::bench
