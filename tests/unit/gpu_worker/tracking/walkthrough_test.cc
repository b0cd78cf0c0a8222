#include "gpu_worker/tracking/walkthrough.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"

namespace farm::tracking {
namespace {

/// Every road is spelled out, as acorn does it; the points are numbered from the inside out.
class AllRoads {
  public:
    AllRoads(std::size_t point_count, const ScoredEdges& edges, const WalkthroughConfig& config)
        : edges_(edges_above(edges.edges.view(), edges.scores, config.component_cut)),
          config_(config),
          tracks_{std::vector<Label>(point_count, no_track), 0},
          used_(point_count) {}

    Tracks tracks() {
        const auto components = *connected_components(used_.size(), edges_.edges.view());
        const std::vector<bool> chain = chains(components);
        for (std::int32_t point = 0; point < static_cast<std::int32_t>(used_.size()); ++point) {
            const auto at = static_cast<std::size_t>(point);
            if (used_[at]) continue;
            in_chain_ = chain[static_cast<std::size_t>(components.labels[at])];
            take(longest_of(roads_from(point)));
        }
        return tracks_;
    }

  private:
    using Road = std::vector<std::int32_t>;

    std::vector<bool> chains(const Tracks& components) const {
        std::vector<bool> chain(static_cast<std::size_t>(components.count), true);
        for (const auto* ends : {&edges_.edges.source, &edges_.edges.target}) {
            std::set<std::int32_t> seen;
            for (const std::int32_t end : *ends) {
                const auto label = components.labels[static_cast<std::size_t>(end)];
                if (!seen.insert(end).second) chain[static_cast<std::size_t>(label)] = false;
            }
        }
        return chain;
    }

    std::vector<std::int32_t> next_points(std::int32_t point) const {
        std::vector<std::size_t> onward;
        for (std::size_t k = 0; k < edges_.size(); ++k) {
            if (edges_.edges.source[k] != point) continue;
            if (!used_[static_cast<std::size_t>(edges_.edges.target[k])]) onward.push_back(k);
        }
        if (onward.empty()) return {};
        const auto best = *std::ranges::max_element(
            onward, [&](std::size_t a, std::size_t b) { return score(a) < score(b); });
        if (!in_chain_ && score(best) <= config_.walk_cut) return {};
        std::vector<std::int32_t> points = {edges_.edges.target[best]};
        for (const std::size_t k : onward) {
            if (k != best && score(k) > config_.branch_cut)
                points.push_back(edges_.edges.target[k]);
        }
        return points;
    }

    float score(std::size_t edge) const { return edges_.scores[edge]; }

    std::vector<Road> roads_from(std::int32_t point) const {
        std::vector<Road> roads;
        for (const std::int32_t next : next_points(point)) {
            for (Road& road : roads_from(next)) {
                road.insert(road.begin(), point);
                roads.push_back(std::move(road));
            }
        }
        if (roads.empty()) roads = {{point}};
        return roads;
    }

    static Road longest_of(const std::vector<Road>& roads) {
        return *std::ranges::max_element(
            roads, [](const Road& a, const Road& b) { return a.size() < b.size(); });
    }

    void take(const Road& road) {
        if (road.size() < config_.minimum_hit_count) return;
        for (const std::int32_t point : road) {
            used_[static_cast<std::size_t>(point)] = true;
            tracks_.labels[static_cast<std::size_t>(point)] = tracks_.count;
        }
        ++tracks_.count;
    }

    ScoredEdges edges_;
    WalkthroughConfig config_;
    Tracks tracks_;
    std::vector<bool> used_;
    bool in_chain_{false};
};

std::vector<float> rising(std::size_t count) {
    std::vector<float> distances(count);
    std::iota(distances.begin(), distances.end(), 0.0F);
    return distances;
}

Tracks walk(const ScoredEdges& edges, std::span<const float> distances) {
    const auto tracks = walkthrough(edges, distances, {});
    EXPECT_TRUE(tracks) << tracks.error().message;
    return tracks ? *tracks : Tracks{};
}

/// Each pair once, of points that are not far from one another; scores of few values, so that many
/// are equal.
ScoredEdges random_edges(std::int32_t point_count, double density, std::mt19937& engine) {
    std::uniform_real_distribution<double> chance;
    std::uniform_int_distribution<int> tenth(0, 10);
    ScoredEdges edges;
    for (std::int32_t a = 0; a < point_count; ++a) {
        for (std::int32_t b = a + 1; b < std::min(a + 6, point_count); ++b) {
            if (chance(engine) > density) continue;
            edges.edges.source.push_back(a);
            edges.edges.target.push_back(b);
            edges.scores.push_back(0.1F * static_cast<float>(tenth(engine)));
        }
    }
    return edges;
}

TEST(WalkthroughTest, RandomGraphsGiveTheLongestOfAllRoads) {
    std::mt19937 engine(11);
    for (int round = 0; round < 2000; ++round) {
        const std::int32_t count = 1 + round % 19;
        const ScoredEdges edges = random_edges(count, 0.1 * (1 + round % 6), engine);
        const auto points = static_cast<std::size_t>(count);
        ASSERT_EQ(walk(edges, rising(points)), AllRoads(points, edges, {}).tracks())
            << "round " << round;
    }
}

TEST(WalkthroughTest, NumbersOfPointsAndDirectionsOfEdgesDoNotMatter) {
    std::mt19937 engine(12);
    const ScoredEdges edges = random_edges(300, 0.35, engine);
    const Tracks tracks = walk(edges, rising(300));
    std::vector<std::int32_t> renamed(300);
    std::iota(renamed.begin(), renamed.end(), 0);
    std::ranges::shuffle(renamed, engine);
    ScoredEdges turned = edges;
    std::swap(turned.edges.source, turned.edges.target);
    for (auto* ends : {&turned.edges.source, &turned.edges.target}) {
        for (std::int32_t& end : *ends) end = renamed[static_cast<std::size_t>(end)];
    }
    std::vector<float> distances(300);
    for (std::size_t i = 0; i < 300; ++i) {
        distances[static_cast<std::size_t>(renamed[i])] = static_cast<float>(i);
    }
    const Tracks other = walk(turned, distances);
    ASSERT_EQ(other.count, tracks.count);
    for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto a = other.labels[static_cast<std::size_t>(renamed[i])];
            const auto b = other.labels[static_cast<std::size_t>(renamed[j])];
            ASSERT_EQ(tracks.labels[i] == tracks.labels[j] && tracks.labels[i] != no_track,
                      a == b && a != no_track);
        }
    }
}

TEST(WalkthroughTest, ChainWithWeakEdgesIsATrack) {
    const ScoredEdges chain{{{0, 1, 2}, {1, 2, 3}}, {0.05F, 0.9F, 0.02F}};
    EXPECT_EQ(walk(chain, rising(4)), (Tracks{{0, 0, 0, 0}, 1}));
}

TEST(WalkthroughTest, PairIsNoTrack) {
    const ScoredEdges pair{{{0}, {1}}, {0.9F}};
    EXPECT_EQ(walk(pair, rising(3)), (Tracks{{no_track, no_track, no_track}, 0}));
}

TEST(WalkthroughTest, CrossingTracksComeApart) {
    // 0-1-2-3-4 and 5-6-7-8 by rising distance, joined by a weak edge from 2 to 7.
    const std::vector<float> distances = {0, 2, 4, 6, 8, 1, 3, 5, 7};
    const ScoredEdges edges{{{0, 1, 2, 3, 5, 6, 7, 2}, {1, 2, 3, 4, 6, 7, 8, 7}},
                            {0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.3F}};
    EXPECT_EQ(walk(edges, distances), (Tracks{{0, 0, 0, 0, 0, 1, 1, 1, 1}, 2}));
}

TEST(WalkthroughTest, NoPointsNoTracks) { EXPECT_EQ(walk({}, {}), (Tracks{{}, 0})); }

TEST(WalkthroughTest, EdgeFromAPointToItselfIsRefused) {
    EXPECT_FALSE(walkthrough({{{0}, {0}}, {0.9F}}, rising(1), {}));
}

TEST(WalkthroughTest, TangleOfManyTracksEnds) {
    std::mt19937 engine(13);
    const ScoredEdges edges = random_edges(50'000, 0.9, engine);
    EXPECT_GT(walk(edges, rising(50'000)).count, 0);
}

}  // namespace
}  // namespace farm::tracking
