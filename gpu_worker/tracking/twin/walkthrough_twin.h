#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/twin/component_walk.h"
#include "gpu_worker/tracking/twin/components_twin.h"
#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/twin/select_edges.h"
#include "gpu_worker/tracking/walkthrough.h"

/// The twin of walkthrough(): the same tracks.
///
/// A component without a junction is a track as it stands. Each of the others is walked by a team,
/// in rounds. Places take their turns from the inside out, so which road a place may take is known
/// once no earlier place can reach any place that it can reach itself: all places of which that is
/// so have their turn in one round, since their roads cannot meet (as the deterministic
/// reservations of Blelloch et al., PPoPP 2012). The first place of all is always one of them.
/// Where nearly every place reaches nearly all others, as after cuts that let everything through,
/// that is one road a round: that is given up, and left to the processor.
namespace farm::tracking::twin {

/// Points in the order of their components, and in each from the inside out, as outward() has it.
/// Edges lead from smaller to larger positions of one component.
template <class E>
struct Positions {
    Array<E, Index> points;     ///< at each position
    Array<E, Index> positions;  ///< of each point
    Array<E, Index> sizes;      ///< of the component whose smallest point is i; else 0
    Array<E, Index> roots;      ///< of each point
};

template <Execution E>
Positions<E> component_positions(E& run, const float* distances, Array<E, Index> roots) {
    const std::size_t count = roots.size();
    Positions<E> made{run.template array<Index>(count), run.template array<Index>(count),
                      run.template array<Index>(count), std::move(roots)};
    auto keys = run.template array<std::uint32_t>(count);
    run.zero(made.sizes);
    std::uint32_t* key_of = keys.data();
    Index* point_at = made.points.data();
    Index* position_of = made.positions.data();
    Index* size_of = made.sizes.data();
    const Index* root_of = made.roots.data();
    run.for_each(count, [=] FARM_LANE(Index point) {
        key_of[point] = ordered_bits(distances[point]);
        point_at[point] = point;
        fetch_add(size_of[root_of[point]], Index{1});
    });
    run.sort(keys, made.points, 32);
    run.for_each(count, [=] FARM_LANE(Index position) {
        key_of[position] = static_cast<std::uint32_t>(root_of[point_at[position]]);
    });
    int bits = 1;
    while (count >> bits != 0) ++bits;
    run.sort(keys, made.points, bits);
    run.for_each(count,
                 [=] FARM_LANE(Index position) { position_of[point_at[position]] = position; });
    return made;
}

/// The edges that walkthrough() keeps, between positions.
struct KeptEdges {
    EdgeList edges;
    EdgesAbove is_kept;
    const Index* positions;

    FARM_LANE Index from(Index edge) const {
        const Index a = positions[edges.source[edge]];
        const Index b = positions[edges.target[edge]];
        return a < b ? a : b;
    }
    FARM_LANE Index to(Index edge) const {
        const Index a = positions[edges.source[edge]];
        const Index b = positions[edges.target[edge]];
        return a < b ? b : a;
    }
};

/// By the smallest point of a component: 1 if a place of it has two edges on one side, else 0.
template <Execution E>
Array<E, Index> junctions(E& run, const Positions<E>& positions, const KeptEdges& kept) {
    const std::size_t count = positions.points.size();
    auto outward = run.template array<Index>(count);
    auto inward = run.template array<Index>(count);
    auto found = run.template array<Index>(count);
    run.zero(outward);
    run.zero(inward);
    run.zero(found);
    Index* outward_count = outward.data();
    Index* inward_count = inward.data();
    Index* has_junction = found.data();
    const Index* root_of = positions.roots.data();
    run.for_each(kept.edges.size, [=] FARM_LANE(Index edge) {
        if (!kept.is_kept(edge)) return;
        const Index others = fetch_add(outward_count[kept.from(edge)], Index{1}) +
                             fetch_add(inward_count[kept.to(edge)], Index{1});
        if (others != 0) fetch_max(has_junction[root_of[kept.edges.source[edge]]], Index{1});
    });
    return found;
}

/// Those of KeptEdges that a road may go along.
struct WalkedEdges {
    KeptEdges kept;
    EdgesAbove is_walked;
    const Index* has_junction;
    const Index* roots;

    FARM_LANE bool operator()(Index edge) const {
        return kept.is_kept(edge) && is_walked(edge) &&
               has_junction[roots[kept.edges.source[edge]]] != 0;
    }
};

struct InnerEnd {
    WalkedEdges walked;

    template <class Visit>
    FARM_LANE void operator()(Index edge, const Visit& visit) const {
        if (walked(edge)) visit(walked.kept.from(edge));
    }
};

struct OuterEnd {
    WalkedEdges walked;

    template <class Visit>
    FARM_LANE void operator()(Index edge, const Visit& visit) const {
        if (walked(edge)) visit(walked.kept.to(edge));
    }
};

/// The memory of WalkArrays.
template <class E>
struct WalkMemory {
    Incidence<E> outward;
    Incidence<E> inward;
    Array<E, float> outward_scores;
    Array<E, Index> lengths;
    Array<E, Index> nexts;
    Array<E, Index> firsts;
    Array<E, Index> turns;
    Array<E, Index> tracks;

    WalkArrays arrays() {
        return {outward.begins.data(), outward.ids.data(), outward_scores.data(),
                inward.begins.data(),  inward.ids.data(),  lengths.data(),
                nexts.data(),          firsts.data(),      turns.data(),
                tracks.data()};
    }
};

template <Execution E>
WalkMemory<E> prepare_walk(E& run, std::size_t point_count, const WalkedEdges& walked,
                           const float* scores) {
    const std::size_t edge_count = walked.kept.edges.size;
    WalkMemory<E> memory{
        incidence(run, point_count, edge_count, edge_count, InnerEnd{walked}),
        incidence(run, point_count, edge_count, edge_count, OuterEnd{walked}),
        run.template array<float>(edge_count),
        run.template array<Index>(point_count),
        run.template array<Index>(point_count),
        run.template array<Index>(point_count),
        run.template array<Index>(point_count),
        run.template array<Index>(point_count),
    };
    // Ids of edges become the positions at their other ends.
    const WalkArrays arrays = memory.arrays();
    const KeptEdges kept = walked.kept;
    Index* outward_ids = memory.outward.ids.data();
    Index* inward_ids = memory.inward.ids.data();
    float* score_of = memory.outward_scores.data();
    run.for_each(point_count, [=] FARM_LANE(Index place) {
        const Index begin = arrays.outward_begins[place];
        const Index end = arrays.outward_begins[place + 1];
        sort_row(outward_ids + begin, end - begin, Ascending{});
        for (Index k = begin; k < end; ++k) {
            score_of[k] = scores[outward_ids[k]];
            outward_ids[k] = kept.to(outward_ids[k]);
        }
        for (Index k = arrays.inward_begins[place]; k < arrays.inward_begins[place + 1]; ++k) {
            inward_ids[k] = kept.from(inward_ids[k]);
        }
        arrays.lengths[place] = 1;
        arrays.nexts[place] = nowhere;
        arrays.firsts[place] = place;
        arrays.turns[place] = place;
        arrays.tracks[place] = undecided;
    });
    return memory;
}

/// Where the components that have a junction lie.
template <class E>
struct Junctioned {
    Array<E, Index> begins;  ///< ascending
    Array<E, Index> ends;
    Array<E, Index> counts;  ///< the last one: how many there are
};

template <Execution E>
Junctioned<E> junctioned_components(E& run, const Positions<E>& positions,
                                    const Index* has_junction) {
    const std::size_t count = positions.points.size();
    Junctioned<E> made{run.template array<Index>(count), run.template array<Index>(count),
                       run.template array<Index>(count + 1)};
    auto flags = no_flags(run, count);
    const Index* root_of = positions.roots.data();
    const Index* size_of = positions.sizes.data();
    const Index* point_at = positions.points.data();
    Index* is_begin = flags.data();
    run.for_each(count, [=] FARM_LANE(Index place) {
        const Index root = root_of[point_at[place]];
        const bool is_first = place == 0 || root_of[point_at[place - 1]] != root;
        is_begin[place] = is_first ? has_junction[root] : 0;
    });
    run.exclusive_sum(flags, made.counts);
    const Index* number_of = made.counts.data();
    Index* begins = made.begins.data();
    Index* ends = made.ends.data();
    run.for_each(count, [=] FARM_LANE(Index place) {
        if (is_begin[place] == 0) return;
        begins[number_of[place]] = place;
        ends[number_of[place]] = place + size_of[root_of[point_at[place]]];
    });
    return made;
}

/// Each team walks every `team_count`-th of the components that have so many points.
struct WalkComponents {
    WalkArrays arrays;
    WalkthroughConfig config;
    const Index* begins;
    const Index* ends;
    const Index* component_count;
    Index* is_given_up;       ///< 1 if a component takes more looks than the limit
    std::int64_t look_limit;  ///< of a team, at points and edges
    Index fewest_points;
    Index most_points;
    Index team_count{0};

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        for (Index i = number; i < *component_count; i += team_count) {
            const Index size = ends[i] - begins[i];
            if (size < fewest_points || size > most_points) continue;
            if (team.any(1, [&](Index) { return shared_value(*is_given_up) != 0; })) return;
            const Index edges = arrays.outward_begins[ends[i]] - arrays.outward_begins[begins[i]];
            const ComponentWalk walk(arrays, config, begins[i], ends[i]);
            const std::int64_t looks_at_all = static_cast<std::int64_t>(size) + edges;
            if (!walk.find_tracks(team, look_limit / looks_at_all)) *is_given_up = 1;
        }
    }
};

/// By teams of so many lanes, as many teams as a large device runs at a time.
template <unsigned lanes, Execution E>
void walk_components(E& run, std::size_t point_count, Index looks_of_a_lane, WalkComponents walk) {
    constexpr std::size_t lanes_at_a_time = 1 << 17;
    const std::size_t team_count = std::min(lanes_at_a_time / lanes, point_count);
    walk.team_count = static_cast<Index>(team_count);
    walk.look_limit = std::int64_t{lanes} * looks_of_a_lane;
    run.template for_each_team<lanes, NoMemory>(team_count, walk);
}

/// Gives a number that is not 0 if the components are such that the processor is the better place
/// for them.
template <Execution E>
Array<E, Index> walk_all(E& run, const WalkArrays& arrays, const WalkthroughConfig& config,
                         const Junctioned<E>& components, Index looks_of_a_lane) {
    constexpr Index small = 256;  // as nearly all are
    const std::size_t point_count = components.begins.size();
    auto given_up = run.template array<Index>(1);
    run.zero(given_up);
    WalkComponents walk{arrays,
                        config,
                        components.begins.data(),
                        components.ends.data(),
                        components.counts.data() + point_count,
                        given_up.data(),
                        0,
                        0,
                        small};
    walk_components<64>(run, point_count, looks_of_a_lane, walk);
    walk.fewest_points = small + 1;
    walk.most_points = static_cast<Index>(point_count);
    walk_components<1024>(run, point_count, looks_of_a_lane, walk);
    return given_up;
}

/// From the tracks of places; a component without a junction is one. Places that are undecided,
/// as where the walk was given up, are on no track.
template <Execution E>
Array<E, Index> tracks_of_points(E& run, const Positions<E>& positions, const Index* has_junction,
                                 const Index* track_of_place, std::size_t minimum_hit_count) {
    const std::size_t count = positions.points.size();
    auto tracks = run.template array<Index>(count);
    Index* track_of_point = tracks.data();
    const Index* root_of = positions.roots.data();
    const Index* size_of = positions.sizes.data();
    const Index* point_at = positions.points.data();
    run.for_each(count, [=] FARM_LANE(Index place) {
        const Index point = point_at[place];
        const Index root = root_of[point];
        Index track = no_track;
        if (has_junction[root] == 0) {
            if (static_cast<std::size_t>(size_of[root]) >= minimum_hit_count) track = root;
        } else if (track_of_place[place] >= 0) {
            track = point_at[track_of_place[place]];
        }
        track_of_point[point] = track;
    });
    return tracks;
}

/// The original of this twin, for what it gives up. Waits for the edges. Errors: as the original's.
template <Execution E>
Result<Array<E, Index>> walked_by_processor(E& run, const float* distances, std::size_t point_count,
                                            const EdgeList& edges, const float* scores,
                                            const WalkthroughConfig& config) {
    ScoredEdges scored{{std::vector<Index>(edges.size), std::vector<Index>(edges.size)},
                       std::vector<float>(edges.size)};
    std::vector<float> host_distances(point_count);
    const WaitAtEnd wait(run);
    run.download(scored.edges.source.data(), edges.source, edges.size);
    run.download(scored.edges.target.data(), edges.target, edges.size);
    run.download(scored.scores.data(), scores, edges.size);
    run.download(host_distances.data(), distances, point_count);
    run.wait();
    const auto tracks = tracking::walkthrough(scored, host_distances, config);
    if (!tracks) return tl::unexpected(tracks.error());
    return uploaded<E, Index>(run, tracks->labels);
}

/// How often a lane may look at points and edges of one component: an estimated tenth of a second.
inline constexpr Index walk_look_limit = 1 << 17;

template <class E>
struct WalkedTracks {
    Array<E, Index> tracks;       ///< of each point: any number below that of points, or no_track
    Array<E, Index> is_given_up;  ///< one number; if it is not 0, these are not the tracks
};

/// `distances` are finite, and no edge leads from a point to itself.
template <Execution E>
WalkedTracks<E> walkthrough(E& run, const float* distances, std::size_t point_count,
                            const EdgeList& edges, const float* scores,
                            const WalkthroughConfig& config,
                            Index looks_of_a_lane = walk_look_limit) {
    const EdgesAbove is_kept{scores, config.component_cut};
    const EdgesAbove is_walked{scores, std::min(config.walk_cut, config.branch_cut)};
    const Positions<E> positions =
        component_positions(run, distances, component_roots(run, point_count, edges, is_kept));
    const KeptEdges kept{edges, is_kept, positions.positions.data()};
    const Array<E, Index> with_junction = junctions(run, positions, kept);
    const WalkedEdges walked{kept, is_walked, with_junction.data(), positions.roots.data()};
    WalkMemory<E> memory = prepare_walk(run, point_count, walked, scores);
    const Junctioned<E> components = junctioned_components(run, positions, with_junction.data());
    auto is_given_up = walk_all(run, memory.arrays(), config, components, looks_of_a_lane);
    return {tracks_of_points(run, positions, with_junction.data(), memory.tracks.data(),
                             config.minimum_hit_count),
            std::move(is_given_up)};
}

}  // namespace farm::tracking::twin
