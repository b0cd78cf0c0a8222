#include "gpu_worker/tracking/edge_cut.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/core/expect.h"

namespace farm::tracking {

namespace {

void add(ScoredEdges& edges, std::int32_t source, std::int32_t target, float score) {
    edges.edges.source.push_back(source);
    edges.edges.target.push_back(target);
    edges.scores.push_back(score);
}

/// The best edge of each point, by `ends`; -1 for a point that has none.
std::vector<std::ptrdiff_t> best_edges(std::span<const std::int32_t> ends,
                                       std::span<const float> scores, std::size_t point_count) {
    std::vector<std::ptrdiff_t> best(point_count, -1);
    for (std::size_t k = 0; k < ends.size(); ++k) {
        auto& kept = best[static_cast<std::size_t>(ends[k])];
        if (kept < 0 || scores[k] > scores[static_cast<std::size_t>(kept)]) {
            kept = static_cast<std::ptrdiff_t>(k);
        }
    }
    return best;
}

}  // namespace

ScoredEdges edges_above(const EdgesView& edges, std::span<const float> scores, float cut) {
    FARM_EXPECT(scores.size() == edges.size());
    ScoredEdges kept;
    const auto count =
        static_cast<std::size_t>(std::ranges::count_if(scores, [&](float s) { return s > cut; }));
    kept.edges.source.reserve(count);
    kept.edges.target.reserve(count);
    kept.scores.reserve(count);
    for (std::size_t k = 0; k < scores.size(); ++k) {
        if (scores[k] > cut) add(kept, edges.source[k], edges.target[k], scores[k]);
    }
    return kept;
}

Result<Edges> outward(Edges edges, std::span<const float> distances) {
    if (auto checked = check_edges(edges.view(), distances.size()); !checked) {
        return tl::unexpected(checked.error());
    }
    const auto bad = std::ranges::find_if_not(distances, [](float d) { return std::isfinite(d); });
    if (bad != distances.end()) {
        return fail(ErrorCode::invalid, "point " + std::to_string(bad - distances.begin()) +
                                            " lies " + std::to_string(*bad) +
                                            " from the origin (it must be finite): check the "
                                            "scales of the features");
    }
    for (std::size_t k = 0; k < edges.size(); ++k) {
        if (edges.source[k] == edges.target[k]) {
            return fail(ErrorCode::invalid, "edge " + std::to_string(k) + " joins point " +
                                                std::to_string(edges.source[k]) +
                                                " with itself (it has no direction): leave it out");
        }
        const auto place = [&](std::int32_t point) {
            return std::pair(distances[static_cast<std::size_t>(point)], point);
        };
        if (place(edges.target[k]) < place(edges.source[k])) {
            std::swap(edges.source[k], edges.target[k]);
        }
    }
    return edges;
}

Result<ScoredEdges> junction_removal(const ScoredEdges& edges, std::size_t point_count) {
    const EdgesView view = edges.edges.view();
    if (auto checked = check_scores(view, edges.scores, point_count); !checked) {
        return tl::unexpected(checked.error());
    }
    const auto best_out = best_edges(view.source, edges.scores, point_count);
    const auto best_in = best_edges(view.target, edges.scores, point_count);
    ScoredEdges kept;
    for (std::size_t k = 0; k < edges.size(); ++k) {
        const auto index = static_cast<std::ptrdiff_t>(k);
        if (best_out[static_cast<std::size_t>(view.source[k])] != index) continue;
        if (best_in[static_cast<std::size_t>(view.target[k])] != index) continue;
        add(kept, view.source[k], view.target[k], edges.scores[k]);
    }
    return kept;
}

}  // namespace farm::tracking
