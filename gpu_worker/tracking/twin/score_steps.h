#pragma once

#include <cmath>
#include <cstddef>

#include "gpu_worker/tracking/doublet_graph.h"
#include "gpu_worker/tracking/twin/execution.h"

/// Steps between the networks and the graph stages.
namespace farm::tracking::twin {

/// The number of something that is wrong, the first of all; larger than any number if nothing is.
template <class E>
using FirstBad = Array<E, unsigned long long>;

/// Notes the first of `values` that is not finite.
template <Execution E>
void find_not_finite(E& run, const float* values, std::size_t count, FirstBad<E>& first_bad) {
    unsigned long long* first = first_bad.data();
    run.for_each(count, [=] FARM_LANE(Index i) {
        if (!is_finite(values[i])) fetch_min(*first, static_cast<unsigned long long>(i));
    });
}

/// scores[first_edge + k] = the probability of logits[k]; notes the first that is NaN.
template <Execution E>
void write_probabilities(E& run, const float* logits, std::size_t count, std::size_t first_edge,
                         Array<E, float>& scores, FirstBad<E>& first_bad) {
    float* score_of = scores.data() + first_edge;
    unsigned long long* first = first_bad.data();
    run.for_each(count, [=] FARM_LANE(Index k) {
        const float score = 1 / (1 + std::exp(-logits[k]));
        score_of[k] = score;
        const unsigned long long edge = first_edge + static_cast<std::size_t>(k);
        if (score != score) fetch_min(*first, edge);
    });
}

/// 1 for each score above the cut, else 0.
template <Execution E>
void flag_above(E& run, const Array<E, float>& scores, float cut, Array<E, Index>& flags) {
    const float* score_of = scores.data();
    Index* flag_of = flags.data();
    run.for_each(scores.size(),
                 [=] FARM_LANE(Index edge) { flag_of[edge] = score_of[edge] > cut ? 1 : 0; });
}

/// The edges, and behind them the same the other way round.
template <Execution E>
EdgeArrays<E> both_ways(E& run, const EdgeList& edges) {
    EdgeArrays<E> doubled{run.template array<Index>(2 * edges.size),
                          run.template array<Index>(2 * edges.size)};
    Index* sources = doubled.source.data();
    Index* targets = doubled.target.data();
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        sources[edge] = targets[edges.size + edge] = edges.source[edge];
        targets[edge] = sources[edges.size + edge] = edges.target[edge];
    });
    return doubled;
}

/// Squares of the distances of space points from the origin, bit for bit as on the processor.
template <Execution E>
Array<E, float> square_distances(E& run, const PointRows& features,
                                 const SpacePointScales& scales) {
    auto distances = run.template array<float>(features.size);
    float* distance_of = distances.data();
    run.for_each(features.size, [=] FARM_LANE(Index point) {
        const float* row = features.values + point * features.dimension_count;
        distance_of[point] = sum_of_squares(product(row[0], scales.r), product(row[2], scales.z));
    });
    return distances;
}

}  // namespace farm::tracking::twin
