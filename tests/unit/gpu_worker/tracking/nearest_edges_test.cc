#include "gpu_worker/tracking/nearest_edges.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gpu_worker/tracking/radius_graph.h"
#include "tests/unit/gpu_worker/tracking/random_points.h"

namespace farm::tracking {
namespace {

using testing::PointSet;

Edges graph_of(const PointSet& points, float radius, std::size_t neighbour_limit) {
    const auto graph =
        radius_graph(points.view(), {.radius = radius, .neighbour_limit = neighbour_limit});
    EXPECT_TRUE(graph) << graph.error().message;
    return graph ? *graph : Edges{};
}

/// How many neighbours of `point` are nearer than `other`, by the definition of the header.
std::size_t rank_of(const Points& points, const Edges& edges, std::int32_t point,
                    std::int32_t other) {
    const auto nearness = [&](std::int32_t neighbour) {
        const auto a = points.row(static_cast<std::size_t>(point));
        const auto b = points.row(static_cast<std::size_t>(neighbour));
        float square = 0;
        for (std::size_t k = 0; k < a.size(); ++k) {
            square = std::fma(a[k] - b[k], a[k] - b[k], square);
        }
        return std::pair(square, neighbour);
    };
    std::size_t rank = 0;
    for (std::size_t k = 0; k < edges.size(); ++k) {
        const std::int32_t source = edges.source[k], target = edges.target[k];
        if (source != point && target != point) continue;
        rank += nearness(source == point ? target : source) < nearness(other);
    }
    return rank;
}

TEST(NearestEdgesTest, EdgeStaysIfItIsAmongTheNearestOfEitherPoint) {
    const bool holds = rc::check([] {
        const auto count = *rc::gen::inRange<std::size_t>(2, 40);
        const auto limit = *rc::gen::inRange<std::size_t>(1, 6);
        // Few different coordinates: equal points and equal distances.
        const auto steps =
            *rc::gen::container<std::vector<int>>(count * 2, rc::gen::inRange(-3, 4));
        PointSet points{{}, 2};
        for (const int step : steps) points.values.push_back(0.5F * static_cast<float>(step));
        const Edges all = graph_of(points, 1.5F, 0);
        Edges expected;
        for (std::size_t k = 0; k < all.size(); ++k) {
            const std::int32_t source = all.source[k], target = all.target[k];
            if (std::min(rank_of(points.view(), all, source, target),
                         rank_of(points.view(), all, target, source)) >= limit) {
                continue;
            }
            expected.source.push_back(source);
            expected.target.push_back(target);
        }
        RC_ASSERT(graph_of(points, 1.5F, limit) == expected);
    });
    EXPECT_TRUE(holds);
}

TEST(NearestEdgesTest, LonePointKeepsItsNeighbourThatHasNearerOnes) {
    const PointSet line{{0, 1, 2, 5}, 1};
    EXPECT_EQ(graph_of(line, 9, 1), (Edges{{1, 2, 3}, {0, 1, 2}}));
}

TEST(NearestEdgesTest, OfEquallyNearNeighboursTheSmallerIndexStays) {
    const PointSet same{std::vector<float>(4), 1};
    EXPECT_EQ(graph_of(same, 1, 1), (Edges{{1, 2, 3}, {0, 0, 0}}));
}

TEST(NearestEdgesTest, WithoutALimitAllEdgesStay) {
    const PointSet same{std::vector<float>(4), 1};
    EXPECT_EQ(graph_of(same, 1, 0).size(), 6U);
    EXPECT_EQ(graph_of(same, 1, 3).size(), 6U);
}

}  // namespace
}  // namespace farm::tracking
