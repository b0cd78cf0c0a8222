#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu_worker/tracking/twin/execution.h"

namespace farm::tracking::twin {

/// Edges as outward() turns them, and how good they are.
struct OutwardEdges {
    using Rank = unsigned long long;

    EdgeList edges;
    const float* scores;
    const float* distances;

    FARM_LANE bool is_turned(Index edge) const {
        const Index a = edges.source[edge];
        const Index b = edges.target[edge];
        if (distances[a] != distances[b]) return distances[b] < distances[a];
        return b < a;
    }
    FARM_LANE Index inner(Index edge) const {
        return is_turned(edge) ? edges.target[edge] : edges.source[edge];
    }
    FARM_LANE Index outer(Index edge) const {
        return is_turned(edge) ? edges.source[edge] : edges.target[edge];
    }
    /// Larger is better: by the score, then the first. Never 0.
    FARM_LANE Rank rank(Index edge) const {
        return static_cast<Rank>(ordered_bits(scores[edge])) << 32 |
               (0xffffffffU - static_cast<std::uint32_t>(edge));
    }
};

/// The twin of junction_removal() of the edges above the cut: 1 for each that stays, 0 for the
/// others.
template <Execution E>
Array<E, Index> junction_removal(E& run, const float* distances, std::size_t point_count,
                                 const EdgeList& edges, const float* scores, float cut) {
    using Rank = OutwardEdges::Rank;
    const OutwardEdges outward{edges, scores, distances};
    auto best_outward = run.template array<Rank>(point_count);
    auto best_inward = run.template array<Rank>(point_count);
    auto flags = run.template array<Index>(edges.size);
    run.zero(best_outward);
    run.zero(best_inward);
    Rank* best_out = best_outward.data();
    Rank* best_in = best_inward.data();
    Index* flag_of = flags.data();
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        if (!(scores[edge] > cut)) return;
        fetch_max(best_out[outward.inner(edge)], outward.rank(edge));
        fetch_max(best_in[outward.outer(edge)], outward.rank(edge));
    });
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        const Rank rank = outward.rank(edge);
        const bool stays = scores[edge] > cut && best_out[outward.inner(edge)] == rank &&
                           best_in[outward.outer(edge)] == rank;
        flag_of[edge] = stays ? 1 : 0;
    });
    return flags;
}

}  // namespace farm::tracking::twin
