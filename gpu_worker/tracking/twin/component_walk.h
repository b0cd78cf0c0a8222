#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/walkthrough.h"

namespace farm::tracking::twin {

inline constexpr Index nowhere = -1;
/// Of a place that had no turn yet and is on no road.
inline constexpr Index undecided = -2;

/// The longest road from a position.
struct Road {
    Index length{1};
    Index next{nowhere};  ///< the next position on it
};

/// What teams walk on: arrays by position, of which each touches those of its component.
struct WalkArrays {
    const Index* outward_begins;  ///< edges that leave a position, in the order they were given in
    const Index* outward_ends;    ///< the position that each of them leads to
    const float* outward_scores;
    const Index* inward_begins;  ///< edges that enter a position, in any order
    const Index* inward_starts;  ///< the position that each of them comes from
    Index* lengths;              ///< of the longest road from a position
    Index* nexts;                ///< the next position on it, or nowhere
    Index* firsts;               ///< the first place from which a position is reached
    Index* turns;                ///< the first of `firsts` of all places that it reaches
    Index* tracks;               ///< where the road that took a position began, or no_track
};

/// One component; see class Walk of walkthrough.cc, of which it is the twin.
class ComponentWalk {
  public:
    FARM_LANE ComponentWalk(const WalkArrays& arrays, const WalkthroughConfig& config, Index begin,
                            Index end)
        : arrays_(arrays), config_(config), begin_(begin), end_(end) {}

    /// Lanes see the numbers of others as they change, and go over all places until none does:
    /// edges have no circles, so there is but one such state. False if that takes more than
    /// `sweep_limit` times.
    template <class Team>
    FARM_LANE bool find_tracks(const Team& team, std::int64_t sweep_limit) const {
        const Index count = end_ - begin_;
        do {
            while (team.any(count, [&](Index i) { return look_back(begin_ + i); })) {
                if (--sweep_limit < 0) return false;
            }
            while (team.any(count, [&](Index i) { return look_ahead(end_ - 1 - i); })) {
                if (--sweep_limit < 0) return false;
            }
        } while (team.any(count, [&](Index i) { return !has_decided(begin_ + i); }));
        return true;
    }

  private:
    FARM_LANE bool is_undecided(Index place) const {
        return shared_value(arrays_.tracks[place]) == undecided;
    }

    /// True if something is new.
    FARM_LANE bool look_back(Index place) const {
        if (!is_undecided(place)) return false;
        Index first = place;
        for (Index k = arrays_.inward_begins[place]; k < arrays_.inward_begins[place + 1]; ++k) {
            const Index before = arrays_.inward_starts[k];
            if (is_undecided(before)) first = lesser(first, arrays_.firsts[before]);
        }
        return replace(arrays_.firsts[place], first);
    }

    FARM_LANE bool look_ahead(Index place) const {
        if (!is_undecided(place)) return false;
        Index turn = arrays_.firsts[place];
        for (Index k = arrays_.outward_begins[place]; k < arrays_.outward_begins[place + 1]; ++k) {
            const Index ahead = arrays_.outward_ends[k];
            if (is_undecided(ahead)) turn = lesser(turn, arrays_.turns[ahead]);
        }
        const Road road = road_from(place);
        const bool is_new_turn = replace(arrays_.turns[place], turn);
        const bool is_new_length = replace(arrays_.lengths[place], road.length);
        const bool is_new_next = replace(arrays_.nexts[place], road.next);
        return is_new_turn || is_new_length || is_new_next;
    }

    FARM_LANE bool has_decided(Index place) const {
        if (!is_undecided(place)) return true;
        if (arrays_.turns[place] != place) return false;
        if (static_cast<std::size_t>(arrays_.lengths[place]) < config_.minimum_hit_count) {
            arrays_.tracks[place] = no_track;
            return true;
        }
        for (Index step = place; step != nowhere; step = arrays_.nexts[step]) {
            arrays_.tracks[step] = place;
        }
        return true;
    }

    /// From the lengths of the places ahead, as look_ahead() of walkthrough.cc.
    FARM_LANE Road road_from(Index place) const {
        Road road;
        const Index best = best_outward(place);
        if (best == nowhere) return road;
        follow(best, road);
        for (Index k = arrays_.outward_begins[place]; k < arrays_.outward_begins[place + 1]; ++k) {
            if (k == best || !is_undecided(arrays_.outward_ends[k])) continue;
            if (arrays_.outward_scores[k] > config_.branch_cut) follow(k, road);
        }
        return road;
    }

    FARM_LANE Index best_outward(Index place) const {
        const float* scores = arrays_.outward_scores;
        Index best = nowhere;
        for (Index k = arrays_.outward_begins[place]; k < arrays_.outward_begins[place + 1]; ++k) {
            if (!is_undecided(arrays_.outward_ends[k])) continue;
            if (best == nowhere || scores[k] > scores[best]) best = k;
        }
        return best != nowhere && scores[best] > config_.walk_cut ? best : nowhere;
    }

    FARM_LANE void follow(Index edge, Road& road) const {
        const Index ahead = arrays_.outward_ends[edge];
        const Index length = shared_value(arrays_.lengths[ahead]);
        if (length >= road.length) road = {length + 1, ahead};
    }

    FARM_LANE static Index lesser(Index a, const Index& shared) {
        const Index b = shared_value(shared);
        return a < b ? a : b;
    }
    FARM_LANE static bool replace(Index& place, Index value) {
        if (shared_value(place) == value) return false;
        place = value;
        return true;
    }

    const WalkArrays& arrays_;
    const WalkthroughConfig& config_;
    Index begin_;
    Index end_;
};

}  // namespace farm::tracking::twin
