#include "gpu_worker/tracking/edge_cut.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace farm::tracking {
namespace {

TEST(EdgeCutTest, ScoreAtTheCutIsDropped) {
    const Edges edges{{1, 2, 3}, {0, 0, 0}};
    const std::vector<float> scores = {0.5F, 0.75F, 0.25F};
    EXPECT_EQ(edges_above(edges.view(), scores, 0.5F), (ScoredEdges{{{2}, {0}}, {0.75F}}));
}

TEST(OutwardTest, SourceIsTheInnerPoint) {
    const std::vector<float> distances = {3, 1, 2, 2};
    const auto edges = outward({{0, 1, 3}, {1, 2, 2}}, distances);
    ASSERT_TRUE(edges);
    EXPECT_EQ(*edges, (Edges{{1, 1, 2}, {0, 2, 3}}));
}

TEST(OutwardTest, WhatHasNoDirectionIsRefused) {
    const std::vector<float> distances = {3, std::numeric_limits<float>::infinity()};
    EXPECT_EQ(outward({}, distances).error().message,
              "point 1 lies inf from the origin (it must be finite): check the scales of the "
              "features");
    EXPECT_EQ(outward({{0}, {0}}, std::vector<float>{1}).error().message,
              "edge 0 joins point 0 with itself (it has no direction): leave it out");
}

TEST(JunctionRemovalTest, BestEdgeInAndOutStay) {
    // Points 0 and 1 both lead to 2, and 2 to 3 and 4.
    const ScoredEdges edges{{{0, 1, 2, 2}, {2, 2, 3, 4}}, {0.6F, 0.8F, 0.9F, 0.7F}};
    const auto kept = junction_removal(edges, 5);
    ASSERT_TRUE(kept);
    EXPECT_EQ(*kept, (ScoredEdges{{{1, 2}, {2, 3}}, {0.8F, 0.9F}}));
}

TEST(JunctionRemovalTest, OfEquallyGoodEdgesTheFirstStays) {
    const auto kept = junction_removal({{{0, 0}, {1, 2}}, {0.5F, 0.5F}}, 3);
    ASSERT_TRUE(kept);
    EXPECT_EQ(*kept, (ScoredEdges{{{0}, {1}}, {0.5F}}));
}

TEST(JunctionRemovalTest, BestInThatIsNotBestOutLeavesAGap) {
    const auto kept = junction_removal({{{0, 0, 1}, {2, 3, 2}}, {0.8F, 0.9F, 0.7F}}, 4);
    ASSERT_TRUE(kept);
    EXPECT_EQ(*kept, (ScoredEdges{{{0}, {3}}, {0.9F}}));
}

TEST(JunctionRemovalTest, ScoresThatDoNotFitAreRefused) {
    EXPECT_FALSE(junction_removal({{{0}, {1}}, {}}, 2));
    EXPECT_FALSE(junction_removal({{{0}, {1}}, {std::nanf("")}}, 2));
}

}  // namespace
}  // namespace farm::tracking
