#include "bench/tracking/track_edges.h"

#include <cmath>
#include <numeric>
#include <random>
#include <span>

namespace farm::bench {

namespace {

constexpr std::size_t good_edge_count = TrackEdges::point_count - TrackEdges::track_count;

tracking::ScoredEdges make_edges() {
    constexpr std::int32_t points = TrackEdges::point_count;
    constexpr std::int32_t tracks = TrackEdges::track_count;
    std::mt19937 engine(1);
    std::uniform_int_distribution<std::int32_t> point(0, points - 2 * tracks - 1);
    std::uniform_int_distribution<std::int32_t> step(-3, 3);
    std::uniform_real_distribution<float> score;
    tracking::ScoredEdges made;
    const auto add = [&](std::int32_t source, std::int32_t target, float value) {
        made.edges.source.push_back(source);
        made.edges.target.push_back(target);
        made.scores.push_back(value);
    };
    for (std::int32_t i = 0; i + tracks < points; ++i) {
        add(i + tracks, i, 0.5F + score(engine) / 2);
    }
    while (made.size() < TrackEdges::edge_count) {
        const std::int32_t inner = point(engine);
        add(inner + tracks + step(engine), inner, score(engine) * score(engine) / 2);
    }
    return made;
}

}  // namespace

const TrackEdges& track_edges() {
    static const TrackEdges made = [] {
        TrackEdges all{make_edges(), {}, std::vector<float>(TrackEdges::point_count)};
        all.learned_scores = all.edges.scores;
        for (float& score : std::span(all.learned_scores).subspan(good_edge_count)) {
            score = std::pow(2 * score, 5.0F) / 2;
        }
        std::iota(all.distances.begin(), all.distances.end(), 0.0F);
        return all;
    }();
    return made;
}

}  // namespace farm::bench
