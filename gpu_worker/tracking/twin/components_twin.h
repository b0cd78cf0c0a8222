#pragma once

#include <cstddef>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/twin/execution.h"

namespace farm::tracking::twin {

/// Halves the path on its way: a parent is never larger than its child, and what is read late is
/// still an ancestor.
FARM_LANE inline Index root_of(Index* parents, Index member) {
    Index parent = shared_value(parents[member]);
    while (parent != member) {
        const Index grandparent = shared_value(parents[parent]);
        if (grandparent == parent) return parent;
        parents[member] = grandparent;
        member = grandparent;
        parent = shared_value(parents[member]);
    }
    return member;
}

FARM_LANE inline void join(Index* parents, Index a, Index b) {
    for (;;) {
        a = root_of(parents, a);
        b = root_of(parents, b);
        if (a == b) return;
        const Index larger = a > b ? a : b;
        const Index smaller = a > b ? b : a;
        const Index seen = compare_exchange(parents[larger], larger, smaller);
        if (seen == larger) return;
        a = seen;  // it was no root any more
        b = smaller;
    }
}

/// The smallest point of each point's component: union-find without locks (as in ECL-CC, Jaiganesh
/// and Burtscher, HPDC 2018), of the edges for which joins(k) holds.
template <Execution E, class Joins>
Array<E, Index> component_roots(E& run, std::size_t point_count, const EdgeList& edges,
                                const Joins& joins) {
    auto parents = run.template array<Index>(point_count);
    auto roots = run.template array<Index>(point_count);
    Index* parent_of = parents.data();
    Index* root = roots.data();
    run.for_each(point_count, [=] FARM_LANE(Index point) { parent_of[point] = point; });
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        if (joins(edge)) join(parent_of, edges.source[edge], edges.target[edge]);
    });
    run.for_each(point_count,
                 [=] FARM_LANE(Index point) { root[point] = root_of(parent_of, point); });
    return roots;
}

/// Edges that have a score above a cut.
struct EdgesAbove {
    const float* scores;
    float cut;

    FARM_LANE bool operator()(Index edge) const { return scores[edge] > cut; }
};

struct FlaggedEdges {
    const Index* flags;

    FARM_LANE bool operator()(Index edge) const { return flags[edge] != 0; }
};

template <class E>
struct TrackLabels {
    Array<E, Label> labels;   ///< in each event from 0, in the order of the tracks' first points
    Array<E, Index> numbers;  ///< the last one: how many tracks there are
};

/// Labels of tracks that are any number below that of points, or no_track. Tracks of fewer than
/// `minimum_hit_count` points become no_track.
template <Execution E>
TrackLabels<E> track_labels(E& run, const Array<E, Index>& tracks,
                            const Array<E, Index>& event_ends, std::size_t minimum_hit_count) {
    const std::size_t count = tracks.size();
    auto sizes = run.template array<Index>(count);
    auto firsts = run.template array<Index>(count);
    run.zero(sizes);
    run.fill(firsts, std::byte{0x7f});  // larger than any point
    const Index* track_of = tracks.data();
    Index* size_of = sizes.data();
    Index* first_of = firsts.data();
    run.for_each(count, [=] FARM_LANE(Index point) {
        const Index track = track_of[point];
        if (track == no_track) return;
        fetch_add(size_of[track], Index{1});
        fetch_min(first_of[track], point);
    });

    const auto least =
        static_cast<Index>(minimum_hit_count <= count ? minimum_hit_count : count + 1);
    auto firsts_that_count = run.template array<Index>(count + 1);
    run.zero(firsts_that_count);
    Index* counts = firsts_that_count.data();
    run.for_each(count, [=] FARM_LANE(Index point) {
        const Index track = track_of[point];
        const bool is_first = track != no_track && first_of[track] == point;
        counts[point] = is_first && size_of[track] >= least ? 1 : 0;
    });
    TrackLabels<E> made{run.template array<Label>(count), run.template array<Index>(count + 1)};
    run.exclusive_sum(firsts_that_count, made.numbers);

    Label* label_of = made.labels.data();
    const Index* number_of = made.numbers.data();
    const Index* ends = event_ends.data();
    const auto event_count = static_cast<Index>(event_ends.size());
    run.for_each(count, [=] FARM_LANE(Index point) {
        const Index track = track_of[point];
        if (track == no_track || size_of[track] < least) {
            label_of[point] = no_track;
            return;
        }
        const Index event = event_of(ends, event_count, point);
        const Index event_begin = event == 0 ? 0 : ends[event - 1];
        label_of[point] = number_of[first_of[track]] - number_of[event_begin];
    });
    return made;
}

}  // namespace farm::tracking::twin
