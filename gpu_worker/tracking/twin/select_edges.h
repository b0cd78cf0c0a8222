#pragma once

#include <cstddef>

#include "gpu_worker/tracking/twin/execution.h"

namespace farm::tracking::twin {

/// Where each edge with a flag goes, in their order, and how many there are. Waits for the number.
template <class E>
struct Selection {
    Array<E, Index> places;  ///< of each edge: the number of those before it
    std::size_t size;
};

/// `flags`: 0 or 1 of each edge, and one more number.
template <Execution E>
Selection<E> select(E& run, const Array<E, Index>& flags) {
    Selection<E> selection{run.template array<Index>(flags.size()), 0};
    run.exclusive_sum(flags, selection.places);
    selection.size = static_cast<std::size_t>(read_number(run, selection.places, flags.size() - 1));
    return selection;
}

template <Execution E>
EdgeArrays<E> selected_edges(E& run, const EdgeList& edges, const Array<E, Index>& flags) {
    const Selection<E> selection = select(run, flags);
    EdgeArrays<E> kept{run.template array<Index>(selection.size),
                       run.template array<Index>(selection.size)};
    const Index* flag_of = flags.data();
    const Index* place_of = selection.places.data();
    Index* sources = kept.source.data();
    Index* targets = kept.target.data();
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        if (flag_of[edge] == 0) return;
        sources[place_of[edge]] = edges.source[edge];
        targets[place_of[edge]] = edges.target[edge];
    });
    return kept;
}

/// Flags of no edge, one number longer than the edges.
template <Execution E>
Array<E, Index> no_flags(E& run, std::size_t edge_count) {
    auto flags = run.template array<Index>(edge_count + 1);
    run.zero(flags);
    return flags;
}

/// Which edges are at each point: those of point i are ids[begins[i]] up to ids[begins[i + 1]].
template <class E>
struct Incidence {
    Array<E, Index> begins;
    Array<E, Index> ids;
};

/// Calls end_of(k, visit), which calls visit(point) for each end of edge k that counts, if any.
/// The order at a point is any.
template <Execution E, class EndsOf>
Incidence<E> incidence(E& run, std::size_t point_count, std::size_t edge_count,
                       std::size_t most_ends, const EndsOf& ends_of) {
    auto counts = run.template array<Index>(point_count + 1);
    run.zero(counts);
    Index* count_of = counts.data();
    run.for_each(edge_count, [=] FARM_LANE(Index edge) {
        ends_of(edge, [=](Index point) { fetch_add(count_of[point], Index{1}); });
    });
    Incidence<E> made{run.template array<Index>(point_count + 1),
                      run.template array<Index>(most_ends)};
    run.exclusive_sum(counts, made.begins);
    run.zero(counts);
    const Index* begin_of = made.begins.data();
    Index* ids = made.ids.data();
    run.for_each(edge_count, [=] FARM_LANE(Index edge) {
        ends_of(edge, [=](Index point) {
            ids[begin_of[point] + fetch_add(count_of[point], Index{1})] = edge;
        });
    });
    return made;
}

}  // namespace farm::tracking::twin
