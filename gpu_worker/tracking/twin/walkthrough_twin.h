#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/twin/components_twin.h"
#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/twin/select_edges.h"
#include "gpu_worker/tracking/walkthrough.h"

/// The twin of walkthrough(): the same tracks. Each component is walked by a lane of its own, with
/// the algorithm of walkthrough.cc; components are many and small, and know nothing of one another.
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

/// What a lane walks on: arrays by position, of which it touches those of its component.
struct WalkArrays {
    const Index* outward_begins;  ///< edges that leave a position, in the order they were given in
    const Index* outward_ends;    ///< the position that each of them leads to
    const float* outward_scores;
    const Index* inward_begins;  ///< edges that enter a position, in any order
    const Index* inward_starts;  ///< the position that each of them comes from
    Index* lengths;              ///< of the longest road from a position
    Index* nexts;                ///< the next position on it, or nowhere
    Index* tracks;               ///< where the road that took a position began, or no_track
    std::uint32_t* changed;      ///< a bit for each position; neighbours share words
};

inline constexpr Index nowhere = -1;

/// One component; see class Walk of walkthrough.cc, of which it is the twin.
class ComponentWalk {
  public:
    FARM_LANE ComponentWalk(const WalkArrays& arrays, const WalkthroughConfig& config, Index begin,
                            Index end)
        : arrays_(arrays),
          config_(config),
          begin_(begin),
          end_(end),
          is_chain_(has_no_junction()) {}

    FARM_LANE void find_tracks() {
        for (Index place = end_; place-- > begin_;) look_ahead(place);
        for (Index place = begin_; place < end_; ++place) {
            if (is_used(place)) continue;
            if (static_cast<std::size_t>(arrays_.lengths[place]) < config_.minimum_hit_count)
                continue;
            take_road(place);
        }
    }

  private:
    FARM_LANE bool is_used(Index place) const { return arrays_.tracks[place] != no_track; }

    FARM_LANE bool has_no_junction() const {
        for (Index place = begin_; place < end_; ++place) {
            if (arrays_.outward_begins[place + 1] - arrays_.outward_begins[place] > 1) return false;
            if (arrays_.inward_begins[place + 1] - arrays_.inward_begins[place] > 1) return false;
        }
        return true;
    }

    FARM_LANE void look_ahead(Index place) {
        Index length = 1;
        Index next = nowhere;
        const Index best = best_outward(place);
        if (best != nowhere) {
            follow(best, length, next);
            const Index end = arrays_.outward_begins[place + 1];
            for (Index k = arrays_.outward_begins[place]; k < end; ++k) {
                if (k == best || is_used(arrays_.outward_ends[k])) continue;
                if (arrays_.outward_scores[k] > config_.branch_cut) follow(k, length, next);
            }
        }
        arrays_.lengths[place] = length;
        arrays_.nexts[place] = next;
    }

    FARM_LANE Index best_outward(Index place) const {
        Index best = nowhere;
        const Index end = arrays_.outward_begins[place + 1];
        for (Index k = arrays_.outward_begins[place]; k < end; ++k) {
            if (is_used(arrays_.outward_ends[k])) continue;
            if (best == nowhere || arrays_.outward_scores[k] > arrays_.outward_scores[best])
                best = k;
        }
        if (best == nowhere || is_chain_) return best;
        return arrays_.outward_scores[best] > config_.walk_cut ? best : nowhere;
    }

    FARM_LANE void follow(Index edge, Index& length, Index& next) const {
        const Index ahead = arrays_.outward_ends[edge];
        if (arrays_.lengths[ahead] < length) return;
        length = arrays_.lengths[ahead] + 1;
        next = ahead;
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
            if (!is_used(before)) fetch_or(arrays_.changed[before / 32], bit(before));
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
    bool is_chain_;
};

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

    const WalkArrays arrays{outward_begins, outward_ids,  score_of,      inward_begins, inward_ids,
                            lengths.data(), nexts.data(), tracks.data(), changed.data()};
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
