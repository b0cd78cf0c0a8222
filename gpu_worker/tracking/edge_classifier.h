#pragma once

#include <cstddef>
#include <vector>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/networks.h"

namespace farm::tracking {

struct EdgeClassifierConfig {
    float cut{0.5F};  ///< an edge stays if its probability > cut
    /// Edges that the network sees at once; 0: all. A network that passes messages needs all, one
    /// that looks at each edge by itself (a filter) gives the same in parts, with less memory.
    std::size_t chunk_edge_count{0};
    /// The network sees each edge in both directions, and its score of the given one counts.
    bool undirected{false};
};

/// The probability of each edge; the cut is not looked at. Without edges the network is not asked.
/// Errors: those of check_edges() and the network; internal for another number of scores than edges
/// or a NaN, which is a fault of the network.
Result<std::vector<float>> score_edges(EdgeScorer& network, const Points& features,
                                       const EdgesView& edges, const EdgeClassifierConfig& config);

/// The edges above the cut with their probabilities, in their order. Errors: those of
/// score_edges().
Result<ScoredEdges> classify_edges(EdgeScorer& network, const Points& features,
                                   const EdgesView& edges, const EdgeClassifierConfig& config);

}  // namespace farm::tracking
