#include "cpu_client/events/candidate_edges.h"

#include <cmath>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace farm {
namespace {

/// All pairs, through the angle between unit vectors instead of a wrapped difference.
EdgeList all_pairs(const std::vector<SpacePoint>& points, double radius) {
    EdgeList edges;
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const double turn = M_PI * (double{points[i].phi} - double{points[j].phi});
            const double dphi = std::atan2(std::sin(turn), std::cos(turn)) / M_PI;
            const double distance = std::hypot(double{points[i].r} - double{points[j].r}, dphi,
                                               double{points[i].z} - double{points[j].z});
            if (distance >= radius) continue;
            edges.larger.push_back(static_cast<std::int64_t>(i));
            edges.smaller.push_back(static_cast<std::int64_t>(j));
        }
    }
    return edges;
}

std::vector<SpacePoint> random_points(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> r(0.01F, 0.35F), phi(-1, 1), z(-1.5F, 1.5F);
    std::vector<SpacePoint> points(count);
    for (SpacePoint& point : points) point = {r(random), phi(random), z(random)};
    return points;
}

TEST(CandidateEdgesTest, AgreesWithAllPairs) {
    for (const unsigned seed : {1U, 2U, 3U}) {
        for (const float radius : {0.05F, 0.15F, 0.6F}) {
            const auto points = random_points(400, seed);
            const auto edges = candidate_edges(points, radius);
            ASSERT_TRUE(edges);
            const auto expected = all_pairs(points, radius);
            ASSERT_GT(expected.size(), 5U);
            EXPECT_EQ(*edges, expected) << "seed " << seed << " radius " << radius;
        }
    }
}

TEST(CandidateEdgesTest, PhiIsWrapped) {
    const auto edges = candidate_edges({{0.1F, 0.99F, 0}, {0.1F, -0.99F, 0}}, 0.05F);
    ASSERT_TRUE(edges);
    EXPECT_EQ(*edges, (EdgeList{{1}, {0}}));
}

TEST(CandidateEdgesTest, PhiBeyondOneTurnIsTheSameAngle) {
    const auto edges = candidate_edges({{0.1F, 0.5F, 0}, {0.1F, 2.5F, 0}, {0.1F, -3.5F, 0}}, 0.05F);
    ASSERT_TRUE(edges);
    EXPECT_EQ(edges->size(), 3U);
}

TEST(CandidateEdgesTest, RadiusItselfIsOutside) {
    EXPECT_EQ(candidate_edges({{0, 0, 0}, {0, 0, 0.5F}}, 0.5F)->size(), 0U);
    EXPECT_EQ(candidate_edges({{0, 0, 0}, {0, 0, 0.5F}}, 0.51F)->size(), 1U);
}

TEST(CandidateEdgesTest, NoPointsNoEdges) {
    EXPECT_EQ(candidate_edges({}, 0.1F)->size(), 0U);
    EXPECT_EQ(candidate_edges({{0, 0, 0}}, 0.1F)->size(), 0U);
    EXPECT_EQ(to_tensor("edge_index", EdgeList{}).desc.shape, (Shape{2, 0}));
}

TEST(CandidateEdgesTest, BadRadiusAndTooManyPairsAreErrors) {
    EXPECT_EQ(candidate_edges({}, 0).error().code, ErrorCode::invalid);
    EXPECT_EQ(candidate_edges({}, NAN).error().code, ErrorCode::invalid);
    const std::vector<SpacePoint> same(4);
    EXPECT_EQ(candidate_edges(same, 1, 6)->size(), 6U);
    EXPECT_EQ(candidate_edges(same, 1, 5).error().code, ErrorCode::too_large);
}

TEST(CandidateEdgesTest, TensorHasLargerIndicesFirst) {
    const Tensor tensor = to_tensor("edge_index", EdgeList{{5, 6}, {1, 2}});
    EXPECT_EQ(tensor.desc, (TensorDesc{"edge_index", dtype::i64, {2, 2}}));
    std::int64_t values[4];
    ASSERT_EQ(tensor.data.size(), sizeof values);
    std::memcpy(values, tensor.data.data(), sizeof values);
    EXPECT_EQ(values[1], 6);
    EXPECT_EQ(values[2], 1);
}

}  // namespace
}  // namespace farm
