#include "gpu_worker/tracking/walkthrough.h"

#include <oneapi/tbb/parallel_sort.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"

namespace farm::tracking {

namespace {

/// Place of a point from the inside out: edges lead to larger places only.
using Place = std::int32_t;
constexpr Place nowhere = -1;

std::size_t index(std::int32_t value) { return static_cast<std::size_t>(value); }

struct Neighbour {
    Place place;
    float score;
};

/// The edges of each place, in the order that they were given in.
class Neighbours {
  public:
    Neighbours(std::span<const Place> from, std::span<const Place> to,
               std::span<const float> scores, std::size_t place_count)
        : ends_(place_count + 1), neighbours_(from.size()) {
        for (const Place place : from) ++ends_[index(place) + 1];
        std::inclusive_scan(ends_.begin(), ends_.end(), ends_.begin());
        std::vector<std::size_t> next(ends_.begin(), ends_.end() - 1);
        for (std::size_t k = 0; k < from.size(); ++k) {
            neighbours_[next[index(from[k])]++] = {to[k], scores[k]};
        }
    }

    std::span<const Neighbour> of(Place place) const {
        const std::size_t begin = ends_[index(place)];
        return std::span(neighbours_).subspan(begin, ends_[index(place) + 1] - begin);
    }

  private:
    std::vector<std::size_t> ends_;
    std::vector<Neighbour> neighbours_;
};

class Walk {
  public:
    Walk(Neighbours successors, Neighbours predecessors, std::vector<bool> in_chain,
         const WalkthroughConfig& config)
        : successors_(std::move(successors)),
          predecessors_(std::move(predecessors)),
          in_chain_(std::move(in_chain)),
          config_(config),
          used_(in_chain_.size()),
          next_(in_chain_.size(), nowhere),
          length_(in_chain_.size()) {
        for (Place place = place_count(); place-- > 0;) look_ahead(place);
    }

    /// The track of each place.
    std::vector<Label> tracks() {
        std::vector<Label> labels(used_.size(), no_track);
        Label count = 0;
        for (Place place = 0; place < place_count(); ++place) {
            if (used_[index(place)] || length_[index(place)] < config_.minimum_hit_count) continue;
            const std::vector<Place> road = road_from(place);
            for (const Place step : road) labels[index(step)] = count;
            ++count;
            take(road);
        }
        return labels;
    }

  private:
    Place place_count() const { return static_cast<Place>(used_.size()); }

    /// Length of the longest road from here, and its next place, from those of the places ahead.
    void look_ahead(Place place) {
        length_[index(place)] = 1;
        next_[index(place)] = nowhere;
        const Neighbour* best = best_successor(place);
        if (best == nullptr) return;
        follow(place, best->place);
        for (const Neighbour& other : successors_.of(place)) {
            if (&other == best || used_[index(other.place)]) continue;
            if (other.score > config_.branch_cut) follow(place, other.place);
        }
    }

    /// Of a chain every edge is good: it got here by component_cut.
    const Neighbour* best_successor(Place place) const {
        const Neighbour* best = nullptr;
        for (const Neighbour& successor : successors_.of(place)) {
            if (used_[index(successor.place)]) continue;
            if (best == nullptr || successor.score > best->score) best = &successor;
        }
        if (best == nullptr || in_chain_[index(place)]) return best;
        return best->score > config_.walk_cut ? best : nullptr;
    }

    void follow(Place place, Place ahead) {
        if (length_[index(ahead)] < length_[index(place)]) return;
        length_[index(place)] = length_[index(ahead)] + 1;
        next_[index(place)] = ahead;
    }

    std::vector<Place> road_from(Place place) const {
        std::vector<Place> road;
        for (; place != nowhere; place = next_[index(place)]) road.push_back(place);
        return road;
    }

    /// Looks ahead anew from what leads to the road, the outermost place first, so that each is
    /// looked at when all ahead of it are right.
    void take(const std::vector<Place>& road) {
        for (const Place place : road) used_[index(place)] = true;
        std::priority_queue<Place> changed;
        for (const Place place : road) push_predecessors(place, changed);
        Place last = nowhere;
        while (!changed.empty()) {
            const Place place = changed.top();
            changed.pop();
            if (place == last) continue;
            last = place;
            const std::size_t length = length_[index(place)];
            look_ahead(place);
            if (length_[index(place)] != length) push_predecessors(place, changed);
        }
    }

    void push_predecessors(Place place, std::priority_queue<Place>& places) const {
        for (const Neighbour& before : predecessors_.of(place)) {
            if (!used_[index(before.place)]) places.push(before.place);
        }
    }

    Neighbours successors_;
    Neighbours predecessors_;
    std::vector<bool> in_chain_;
    WalkthroughConfig config_;
    std::vector<bool> used_;
    std::vector<Place> next_;
    std::vector<std::size_t> length_;
};

std::vector<Place> places_of(std::span<const float> distances) {
    std::vector<std::pair<float, std::int32_t>> points;
    points.reserve(distances.size());
    for (const float distance : distances) {
        points.emplace_back(distance, static_cast<std::int32_t>(points.size()));
    }
    oneapi::tbb::parallel_sort(points);
    std::vector<Place> places(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        places[index(points[i].second)] = static_cast<Place>(i);
    }
    return places;
}

void move_to_places(std::vector<std::int32_t>& ends, const std::vector<Place>& places) {
    for (std::int32_t& end : ends) end = places[index(end)];
}

/// Which places lie in a component without a junction.
std::vector<bool> chains(const Tracks& components, const Neighbours& successors,
                         const Neighbours& predecessors) {
    std::vector<bool> is_chain(index(components.count), true);
    for (std::size_t i = 0; i < components.labels.size(); ++i) {
        const auto place = static_cast<Place>(i);
        if (successors.of(place).size() > 1 || predecessors.of(place).size() > 1) {
            is_chain[index(components.labels[i])] = false;
        }
    }
    std::vector<bool> in_chain;
    in_chain.reserve(components.labels.size());
    for (const Label label : components.labels) in_chain.push_back(is_chain[index(label)]);
    return in_chain;
}

/// Numbers tracks in the order of their first points.
Tracks by_point(const std::vector<Label>& track_of_place, const std::vector<Place>& places) {
    Tracks tracks{std::vector<Label>(places.size(), no_track), 0};
    std::vector<Label> renamed(places.size(), no_track);
    for (std::size_t i = 0; i < places.size(); ++i) {
        const Label track = track_of_place[index(places[i])];
        if (track == no_track) continue;
        Label& name = renamed[index(track)];
        if (name == no_track) name = tracks.count++;
        tracks.labels[i] = name;
    }
    return tracks;
}

}  // namespace

Result<Tracks> walkthrough(const ScoredEdges& edges, std::span<const float> distances,
                           const WalkthroughConfig& config) {
    const std::size_t count = distances.size();
    if (auto checked = check_scores(edges.edges.view(), edges.scores, count); !checked) {
        return tl::unexpected(checked.error());
    }
    ScoredEdges kept = edges_above(edges.edges.view(), edges.scores, config.component_cut);
    auto oriented = outward(std::move(kept.edges), distances);
    if (!oriented) return tl::unexpected(oriented.error());
    const std::vector<Place> places = places_of(distances);
    move_to_places(oriented->source, places);
    move_to_places(oriented->target, places);
    const auto components = connected_components(count, oriented->view());
    if (!components) return tl::unexpected(components.error());
    Neighbours successors(oriented->source, oriented->target, kept.scores, count);
    Neighbours predecessors(oriented->target, oriented->source, kept.scores, count);
    std::vector<bool> in_chain = chains(*components, successors, predecessors);
    Walk walk(std::move(successors), std::move(predecessors), std::move(in_chain), config);
    return by_point(walk.tracks(), places);
}

}  // namespace farm::tracking
