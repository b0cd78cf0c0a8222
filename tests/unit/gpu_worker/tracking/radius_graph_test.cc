#include "gpu_worker/tracking/radius_graph.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

#include "tests/unit/gpu_worker/tracking/random_points.h"

namespace farm::tracking {
namespace {

using testing::clustered_points;
using testing::PointSet;

/// All pairs, by the definition of the header.
Edges all_pairs(const Points& points, float radius) {
    Edges edges;
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            float square = 0;
            for (std::size_t k = 0; k < points.dimension_count; ++k) {
                const float gap = points.row(i)[k] - points.row(j)[k];
                square = std::fma(gap, gap, square);
            }
            if (square > radius * radius) continue;
            edges.source.push_back(static_cast<std::int32_t>(i));
            edges.target.push_back(static_cast<std::int32_t>(j));
        }
    }
    return edges;
}

Edges graph_of(const PointSet& points, float radius) {
    const auto graph = radius_graph(points.view(), {.radius = radius});
    EXPECT_TRUE(graph) << graph.error().message;
    return graph ? *graph : Edges{};
}

std::string error_of(const PointSet& points, const RadiusGraphConfig& config) {
    const auto graph = radius_graph(points.view(), config);
    return graph ? "none" : graph.error().message;
}

TEST(RadiusGraphTest, ClustersGiveTheEdgesOfAllPairs) {
    for (const std::size_t dimensions : {1U, 2U, 3U, 7U, 8U, 16U}) {
        const PointSet points = clustered_points(1501, dimensions, 10, 0.05F, 7);
        for (const float radius : {0.05F, 0.2F, 1.0F}) {
            const Edges expected = all_pairs(points.view(), radius);
            EXPECT_TRUE(graph_of(points, radius) == expected)
                << dimensions << " dimensions, radius " << radius << ", " << expected.size();
        }
    }
}

TEST(RadiusGraphTest, AnyPointsGiveTheEdgesOfAllPairs) {
    const bool holds = rc::check([] {
        const auto dimensions = *rc::gen::inRange<std::size_t>(1, 5);
        const auto count = *rc::gen::inRange<std::size_t>(0, 60);
        // Few different coordinates: equal points, and distances of exactly the radius.
        const auto steps =
            *rc::gen::container<std::vector<int>>(count * dimensions, rc::gen::inRange(-3, 4));
        PointSet points{{}, dimensions};
        for (const int step : steps) points.values.push_back(0.5F * static_cast<float>(step));
        const float radius = 0.5F * static_cast<float>(*rc::gen::inRange(1, 6));
        RC_ASSERT(graph_of(points, radius) == all_pairs(points.view(), radius));
    });
    EXPECT_TRUE(holds);
}

TEST(RadiusGraphTest, PairAtExactlyTheRadiusIsAnEdge) {
    const PointSet points{{0, 0, 3, 4}, 2};
    EXPECT_EQ(graph_of(points, 5).size(), 1U);
    EXPECT_EQ(graph_of(points, std::nextafter(5.0F, 0.0F)).size(), 0U);
}

TEST(RadiusGraphTest, ThreadsDoNotChangeTheOrder) {
    const PointSet points = clustered_points(20'000, 8, 10, 0.02F, 3);
    const Edges edges = graph_of(points, 0.3F);
    const oneapi::tbb::global_control one(oneapi::tbb::global_control::max_allowed_parallelism, 1);
    EXPECT_TRUE(graph_of(points, 0.3F) == edges);
}

TEST(RadiusGraphTest, FewPoints) {
    EXPECT_EQ(graph_of({{}, 8}, 1).size(), 0U);
    EXPECT_EQ(graph_of({{1, 2, 3}, 3}, 1).size(), 0U);
    EXPECT_EQ(graph_of({{1, 2, 3, 1, 2, 3}, 3}, 1), (Edges{{1}, {0}}));
}

TEST(RadiusGraphTest, IdenticalPointsAreAllJoined) {
    const PointSet points{std::vector<float>(3 * 200, 0.25F), 3};
    EXPECT_TRUE(graph_of(points, 1e-6F) == all_pairs(points.view(), 1e-6F));
}

TEST(RadiusGraphTest, FarCoordinatesDoNotOverflowIntoEdges) {
    const float large = std::numeric_limits<float>::max();
    EXPECT_EQ(graph_of({{large, -large, large, 0}, 1}, 1), (Edges{{2}, {0}}));
}

TEST(RadiusGraphTest, TooManyEdgesAreRefusedBeforeTheyAreStored) {
    const PointSet points{std::vector<float>(3 * 100'000, 0.25F), 3};
    EXPECT_EQ(error_of(points, {.radius = 2, .edge_limit = 1000}),
              "radius 2.000000 joins more than 1000 pairs of 100000 points (the limit of edges): "
              "use a smaller radius");
    EXPECT_EQ(error_of({{0, 0, 0}, 1}, {.radius = 1, .edge_limit = 3}), "none");
    EXPECT_NE(error_of({{0, 0, 0}, 1}, {.radius = 1, .edge_limit = 2}), "none");
}

TEST(RadiusGraphTest, CoordinateThatIsNotFiniteIsNamed) {
    EXPECT_EQ(error_of({{0, 1, 2, std::nanf("")}, 2}, {}),
              "points of the radius graph: coordinate 1 of point 1 is nan (it must be finite): "
              "leave the point out");
    EXPECT_NE(error_of({{0, std::numeric_limits<float>::infinity()}, 1}, {}), "none");
}

TEST(RadiusGraphTest, RadiusWithoutSenseIsRefused) {
    for (const float radius : {0.0F, -1.0F, std::nanf(""), 1e-30F, 1e30F}) {
        EXPECT_NE(error_of({{0, 1}, 1}, {.radius = radius}).find("radius is"), std::string::npos);
    }
}

TEST(RadiusGraphTest, RowsThatDoNotEndAreRefused) {
    EXPECT_NE(error_of({{0, 1, 2}, 2}, {}).find("send whole rows"), std::string::npos);
    EXPECT_NE(error_of({{0, 1, 2}, 0}, {}), "none");
    EXPECT_NE(error_of({std::vector<float>(65), 65}, {}), "none");
}

}  // namespace
}  // namespace farm::tracking
