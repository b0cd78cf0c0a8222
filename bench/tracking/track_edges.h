#pragma once

#include <cstdint>
#include <vector>

#include "gpu_worker/tracking/edges.h"

namespace farm::bench {

/// What track building starts from: 200 000 points on tracks of 10, each joined with its neighbour
/// on the track by a good edge, and random edges between points of tracks that are close by, 1 M in
/// all; a fixed seed. Point i lies on track i % track_count.
struct TrackEdges {
    static constexpr std::int32_t point_count = 200'000;
    static constexpr std::int32_t track_count = 20'000;
    static constexpr std::size_t edge_count = 1'000'000;

    tracking::ScoredEdges edges;
    std::vector<float> distances;  ///< of the points from the origin
};

/// The same for the whole program; made by the first call.
const TrackEdges& track_edges();

}  // namespace farm::bench
