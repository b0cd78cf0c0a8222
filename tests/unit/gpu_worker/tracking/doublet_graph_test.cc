#include "gpu_worker/tracking/doublet_graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "tests/unit/gpu_worker/tracking/random_points.h"

namespace farm::tracking {
namespace {

using testing::PointSet;

constexpr SpacePointScales plain{1, 1, 1};

/// All pairs, by the windows.
Edges all_pairs(const Points& points, const DoubletConfig& config) {
    Edges edges;
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const bool i_is_inner = points.row(i)[0] < points.row(j)[0];
            const auto inner = points.row(i_is_inner ? i : j);
            const auto outer = points.row(i_is_inner ? j : i);
            const double dr = outer[0] - inner[0];
            const double dphi = std::abs(std::remainder(outer[1] - inner[1], 2 * std::numbers::pi));
            if (dr < config.least_dr || dr > config.largest_dr) continue;
            if (dphi > config.largest_dphi || dphi > config.largest_slope * dr) continue;
            if (std::abs(inner[2] - inner[0] * (outer[2] - inner[2]) / dr) > config.largest_z0) {
                continue;
            }
            edges.source.push_back(static_cast<std::int32_t>(i));
            edges.target.push_back(static_cast<std::int32_t>(j));
        }
    }
    return edges;
}

PointSet random_hits(std::size_t count, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> r(30, 300);
    std::uniform_real_distribution<float> phi(-4, 4);
    std::uniform_real_distribution<float> z(-500, 500);
    PointSet hits;
    for (std::size_t i = 0; i < count; ++i) {
        hits.values.insert(hits.values.end(), {r(engine), phi(engine), z(engine)});
    }
    return hits;
}

std::string error_of(const PointSet& points, const DoubletConfig& config) {
    const auto graph = doublet_graph(points.view(), plain, config);
    return graph ? "none" : graph.error().message;
}

TEST(DoubletGraphTest, RandomHitsGiveThePairsInsideTheWindows) {
    for (const float dphi : {0.05F, 0.5F, 2.9F}) {
        const DoubletConfig config{.largest_dphi = dphi, .largest_slope = 0.004F};
        const PointSet hits = random_hits(900, 4);
        const Edges expected = all_pairs(hits.view(), config);
        const auto graph = doublet_graph(hits.view(), plain, config);
        ASSERT_TRUE(graph) << graph.error().message;
        EXPECT_GT(expected.size(), 100U);
        EXPECT_TRUE(*graph == expected) << graph->size() << " of " << expected.size();
    }
}

TEST(DoubletGraphTest, PairAcrossTheSeamOfPhiIsMetOnce) {
    const PointSet hits{{30, 3.14F, 0, 60, -3.14F, 0}};
    const auto graph = doublet_graph(hits.view(), plain, {.largest_dphi = 2.9F});
    ASSERT_TRUE(graph);
    EXPECT_EQ(*graph, (Edges{{1}, {0}}));
}

TEST(DoubletGraphTest, IdenticalHitsAreNoDoublets) {
    const PointSet hits{std::vector<float>(300, 1.0F)};
    const auto graph = doublet_graph(hits.view(), plain, {});
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph->size(), 0U);
}

TEST(DoubletGraphTest, NoHitsNoDoublets) {
    EXPECT_EQ(error_of({}, {}), "none");
    EXPECT_EQ(error_of({{1, 2, 3}}, {}), "none");
}

TEST(DoubletGraphTest, TooManyPairsAreRefused) {
    const PointSet hits = random_hits(900, 4);
    EXPECT_EQ(error_of(hits, {.largest_slope = 1, .edge_limit = 10}),
              "the doublet windows hold more than 10 pairs of 900 points (the limit of edges): "
              "narrow them");
}

/// Of equal phi and r every pair is looked at and none is an edge.
TEST(DoubletGraphTest, PairsThatCostTimeWithoutBecomingEdgesAreBounded) {
    const PointSet hits{std::vector<float>(3 * 1000, 1.0F)};
    EXPECT_EQ(error_of(hits, {.pair_limit = 999'000}), "none");  // each from both of its points
    const auto graph = doublet_graph(hits.view(), plain, {.pair_limit = 10'000});
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, ErrorCode::too_large);
    EXPECT_EQ(graph.error().message,
              "more than 10000 pairs of 1000 points lie within largest_dphi (the limit of pairs "
              "looked at): narrow it or split the event");
}

TEST(DoubletGraphTest, WhatHasNoSenseIsRefused) {
    EXPECT_NE(error_of({{1, 2, std::nanf("")}}, {}), "none");
    EXPECT_NE(error_of({{1, 2}, 2}, {}), "none");
    EXPECT_NE(error_of({}, {.least_dr = 0}), "none");
    EXPECT_NE(error_of({}, {.largest_dphi = 3.5F}), "none");
    const PointSet far{{1, 3e38F, 1}};
    const auto graph = doublet_graph(far.view(), {1, 1000, 1}, {});
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().message,
              "space point 0 is not finite in mm and rad (its features are multiplied by the "
              "scales): check both");
}

}  // namespace
}  // namespace farm::tracking
