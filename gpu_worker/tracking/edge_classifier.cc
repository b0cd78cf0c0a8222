#include "gpu_worker/tracking/edge_classifier.h"

#include <algorithm>
#include <cmath>

#include "gpu_worker/tracking/edge_cut.h"

namespace farm::tracking {

namespace {

std::vector<std::int32_t> joined(std::span<const std::int32_t> first,
                                 std::span<const std::int32_t> second) {
    std::vector<std::int32_t> all(first.begin(), first.end());
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

Result<std::vector<float>> score_both_ways(EdgeScorer& network, const Points& features,
                                           const EdgesView& edges) {
    const Edges doubled{joined(edges.source, edges.target), joined(edges.target, edges.source)};
    auto scores = network.score(features, doubled.view());
    if (scores && scores->size() == doubled.size()) scores->resize(edges.size());
    return scores;
}

/// Probabilities of the edges of one chunk.
Result<std::vector<float>> score_chunk(EdgeScorer& network, const Points& features,
                                       const EdgesView& edges, bool undirected) {
    auto scores =
        undirected ? score_both_ways(network, features, edges) : network.score(features, edges);
    if (!scores) return scores;
    for (float& score : *scores) score = 1 / (1 + std::exp(-score));
    if (auto checked = check_scores(edges, *scores, features.size()); !checked) {
        return fail(ErrorCode::internal, checked.error().message);  // the network's, not the call's
    }
    return scores;
}

}  // namespace

Result<std::vector<float>> score_edges(EdgeScorer& network, const Points& features,
                                       const EdgesView& edges, const EdgeClassifierConfig& config) {
    if (auto checked = check_edges(edges, features.size()); !checked) {
        return tl::unexpected(checked.error());
    }
    const std::size_t step = config.chunk_edge_count == 0 ? edges.size() : config.chunk_edge_count;
    std::vector<float> all;
    for (std::size_t begin = 0; begin < edges.size(); begin += step) {
        const std::size_t count = std::min(step, edges.size() - begin);
        const EdgesView chunk{edges.source.subspan(begin, count),
                              edges.target.subspan(begin, count)};
        auto scores = score_chunk(network, features, chunk, config.undirected);
        if (!scores || count == edges.size()) return scores;
        all.reserve(edges.size());
        all.insert(all.end(), scores->begin(), scores->end());
    }
    return all;
}

Result<ScoredEdges> classify_edges(EdgeScorer& network, const Points& features,
                                   const EdgesView& edges, const EdgeClassifierConfig& config) {
    const auto scores = score_edges(network, features, edges, config);
    if (!scores) return tl::unexpected(scores.error());
    return edges_above(edges, *scores, config.cut);
}

}  // namespace farm::tracking
