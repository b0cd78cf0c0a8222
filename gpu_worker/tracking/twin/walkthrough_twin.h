#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/twin/components_twin.h"
#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/twin/select_edges.h"
#include "gpu_worker/tracking/walkthrough.h"

/// The twin of walkthrough(): the same tracks. All places look ahead at once, again and again until
/// nothing changes; then each component is walked by a lane of its own, with the algorithm of
/// walkthrough.cc: components are many and small, and know nothing of one another.
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

struct InnerEnd {
    KeptEdges kept;

    template <class Visit>
    FARM_LANE void operator()(Index edge, const Visit& visit) const {
        if (kept.is_kept(edge)) visit(kept.from(edge));
    }
};

struct OuterEnd {
    KeptEdges kept;

    template <class Visit>
    FARM_LANE void operator()(Index edge, const Visit& visit) const {
        if (kept.is_kept(edge)) visit(kept.to(edge));
    }
};

inline constexpr Index nowhere = -1;

/// The longest road from a position.
struct Road {
    Index length{1};
    Index next{nowhere};  ///< the next position on it
};

/// What a lane walks on: arrays by position, of which it touches those of its component.
struct WalkArrays {
    const Index* outward_begins;  ///< edges that leave a position, in the order they were given in
    const Index* outward_ends;    ///< the position that each of them leads to
    const float* outward_scores;
    const Index* inward_begins;  ///< edges that enter a position, in any order
    const Index* inward_starts;  ///< the position that each of them comes from
    const Index* in_chains;      ///< 1 where the component has no junction, else 0
    Index* lengths;              ///< of the longest road from a position
    Index* nexts;                ///< the next position on it, or nowhere
    Index* tracks;               ///< where the road that took a position began, or no_track
    std::uint32_t* changed;      ///< a bit for each position; neighbours share words

    FARM_LANE bool is_used(Index place) const { return tracks[place] != no_track; }

    /// From the lengths of the places ahead, as look_ahead() of walkthrough.cc.
    FARM_LANE Road road_from(Index place, const Index* known_lengths,
                             const WalkthroughConfig& config) const {
        Road road;
        const Index best = best_outward(place, config);
        if (best == nowhere) return road;
        follow(best, known_lengths, road);
        for (Index k = outward_begins[place]; k < outward_begins[place + 1]; ++k) {
            if (k == best || is_used(outward_ends[k])) continue;
            if (outward_scores[k] > config.branch_cut) follow(k, known_lengths, road);
        }
        return road;
    }

  private:
    FARM_LANE Index best_outward(Index place, const WalkthroughConfig& config) const {
        Index best = nowhere;
        for (Index k = outward_begins[place]; k < outward_begins[place + 1]; ++k) {
            if (is_used(outward_ends[k])) continue;
            if (best == nowhere || outward_scores[k] > outward_scores[best]) best = k;
        }
        if (best == nowhere || in_chains[place] != 0) return best;
        return outward_scores[best] > config.walk_cut ? best : nowhere;
    }

    FARM_LANE void follow(Index edge, const Index* known_lengths, Road& road) const {
        const Index ahead = outward_ends[edge];
        if (known_lengths[ahead] < road.length) return;
        road = {known_lengths[ahead] + 1, ahead};
    }
};

/// One component; see class Walk of walkthrough.cc, of which it is the twin.
class ComponentWalk {
  public:
    FARM_LANE ComponentWalk(const WalkArrays& arrays, const WalkthroughConfig& config, Index begin,
                            Index end)
        : arrays_(arrays), config_(config), begin_(begin), end_(end) {}

    FARM_LANE void find_tracks() {
        for (Index place = begin_; place < end_; ++place) {
            if (arrays_.is_used(place)) continue;
            if (static_cast<std::size_t>(arrays_.lengths[place]) < config_.minimum_hit_count)
                continue;
            take_road(place);
        }
    }

  private:
    FARM_LANE void look_ahead(Index place) {
        const Road road = arrays_.road_from(place, arrays_.lengths, config_);
        arrays_.lengths[place] = road.length;
        arrays_.nexts[place] = road.next;
    }

    FARM_LANE void take_road(Index first) {
        Index last = first;
        for (Index place = first; place != nowhere; place = arrays_.nexts[place]) {
            arrays_.tracks[place] = first;
            last = place;
        }
        for (Index place = first; place != nowhere; place = arrays_.nexts[place]) {
            mark_inward(place);
        }
        for (Index place = last_changed(last); place != nowhere; place = last_changed(place)) {
            const Index length = arrays_.lengths[place];
            look_ahead(place);
            if (arrays_.lengths[place] != length) mark_inward(place);
        }
    }

    FARM_LANE void mark_inward(Index place) const {
        const Index end = arrays_.inward_begins[place + 1];
        for (Index k = arrays_.inward_begins[place]; k < end; ++k) {
            const Index before = arrays_.inward_starts[k];
            if (!arrays_.is_used(before)) fetch_or(arrays_.changed[before / 32], bit(before));
        }
    }

    FARM_LANE static std::uint32_t bit(Index place) { return std::uint32_t{1} << (place % 32); }

    /// Below `end`, nearest to it, and it is changed no longer.
    FARM_LANE Index last_changed(Index end) const {
        for (Index word = (end - 1) / 32; end > begin_ && word >= begin_ / 32; --word) {
            std::uint32_t bits = shared_value(arrays_.changed[word]);
            if (word == begin_ / 32) bits &= ~std::uint32_t{0} << (begin_ % 32);
            if (word == end / 32) bits &= bit(end) - 1;
            if (bits == 0) continue;
            const Index place = word * 32 + highest_bit(bits);
            fetch_and(arrays_.changed[word], ~bit(place));
            return place;
        }
        return nowhere;
    }

    const WalkArrays& arrays_;
    const WalkthroughConfig& config_;
    Index begin_;
    Index end_;
};

/// 1 for each position in a component in which nothing has two edges on one side, else 0.
template <Execution E>
Array<E, Index> chain_flags(E& run, const Positions<E>& positions, const Index* outward_begins,
                            const Index* inward_begins) {
    const std::size_t count = positions.points.size();
    auto junctions = run.template array<std::uint32_t>(count);
    auto flags = run.template array<Index>(count);
    run.zero(junctions);
    const Index* root_of = positions.roots.data();
    const Index* point_at = positions.points.data();
    std::uint32_t* junction_of = junctions.data();  // by root
    Index* flag_of = flags.data();
    run.for_each(count, [=] FARM_LANE(Index place) {
        const bool is_junction = outward_begins[place + 1] - outward_begins[place] > 1 ||
                                 inward_begins[place + 1] - inward_begins[place] > 1;
        if (is_junction) fetch_or(junction_of[root_of[point_at[place]]], 1);
    });
    run.for_each(count, [=] FARM_LANE(Index place) {
        flag_of[place] = junction_of[root_of[point_at[place]]] != 0 ? 0 : 1;
    });
    return flags;
}

/// The longest roads before any is taken. A round gives each place what follows from the lengths of
/// the round before; when one changes nothing, all are right.
template <Execution E>
void look_ahead_everywhere(E& run, const WalkArrays& arrays, const WalkthroughConfig& config,
                           std::size_t count) {
    constexpr int rounds_at_once = 8;  // even: the last one leaves its lengths where they belong
    auto others = run.template array<Index>(count);
    auto changes = run.template array<std::uint32_t>(1);
    std::uint32_t* change = changes.data();
    Index* known = arrays.lengths;
    Index* made = others.data();
    run.for_each(count, [=] FARM_LANE(Index place) { known[place] = 1; });
    do {
        for (int round = 0; round < rounds_at_once; ++round, std::swap(known, made)) {
            run.zero(changes);
            run.for_each(count, [=] FARM_LANE(Index place) {
                const Road road = arrays.road_from(place, known, config);
                made[place] = road.length;
                arrays.nexts[place] = road.next;
                if (road.length != known[place]) fetch_or(*change, 1);
            });
        }
    } while (run.read(changes, 0) != 0);
}

/// Which track each point is on: any number below the number of points, or no_track. `scores` are
/// not NaN, `distances` are finite, and no edge leads from a point to itself.
template <Execution E>
Array<E, Index> walkthrough(E& run, const float* distances, std::size_t point_count,
                            const EdgeList& edges, const float* scores,
                            const WalkthroughConfig& config) {
    const EdgesAbove is_kept{scores, config.component_cut};
    const Positions<E> positions =
        component_positions(run, distances, component_roots(run, point_count, edges, is_kept));
    const KeptEdges kept{edges, is_kept, positions.positions.data()};
    Incidence<E> outward = incidence(run, point_count, edges.size, edges.size, InnerEnd{kept});
    Incidence<E> inward = incidence(run, point_count, edges.size, edges.size, OuterEnd{kept});
    auto outward_scores = run.template array<float>(edges.size);
    auto lengths = run.template array<Index>(point_count);
    auto nexts = run.template array<Index>(point_count);
    auto tracks = run.template array<Index>(point_count);
    auto changed = run.template array<std::uint32_t>(point_count / 32 + 1);
    run.fill(tracks, std::byte{0xff});  // no_track
    run.zero(changed);

    // Ids of edges become the positions at their other ends.
    const Index* outward_begins = outward.begins.data();
    const Index* inward_begins = inward.begins.data();
    Index* outward_ids = outward.ids.data();
    Index* inward_ids = inward.ids.data();
    float* score_of = outward_scores.data();
    run.for_each(point_count, [=] FARM_LANE(Index place) {
        const Index begin = outward_begins[place];
        const Index end = outward_begins[place + 1];
        sort_row(outward_ids + begin, end - begin, Ascending{});
        for (Index k = begin; k < end; ++k) {
            score_of[k] = scores[outward_ids[k]];
            outward_ids[k] = kept.to(outward_ids[k]);
        }
        for (Index k = inward_begins[place]; k < inward_begins[place + 1]; ++k) {
            inward_ids[k] = kept.from(inward_ids[k]);
        }
    });

    const auto chains = chain_flags(run, positions, outward_begins, inward_begins);
    const WalkArrays arrays{outward_begins, outward_ids,   score_of,       inward_begins,
                            inward_ids,     chains.data(), lengths.data(), nexts.data(),
                            tracks.data(),  changed.data()};
    look_ahead_everywhere(run, arrays, config, point_count);
    const Index* root_of = positions.roots.data();
    const Index* size_of = positions.sizes.data();
    const Index* point_at = positions.points.data();
    run.for_each(point_count, [=] FARM_LANE(Index place) {
        const Index root = root_of[point_at[place]];
        if (place > 0 && root_of[point_at[place - 1]] == root) return;
        ComponentWalk(arrays, config, place, place + size_of[root]).find_tracks();
    });

    auto track_of_points = run.template array<Index>(point_count);
    Index* track_of_point = track_of_points.data();
    const Index* track_of_place = tracks.data();
    run.for_each(point_count, [=] FARM_LANE(Index place) {
        track_of_point[point_at[place]] = track_of_place[place];
    });
    return track_of_points;
}

}  // namespace farm::tracking::twin
