#include "gpu_worker/tracking/edge_classifier.h"

#include <gtest/gtest.h>

#include "tests/unit/gpu_worker/tracking/fake_networks.h"

namespace farm::tracking {
namespace {

using testing::FunctionScorer;

const std::vector<float> features(3 * 4);
constexpr std::size_t width = 3;

float sum_is_odd(std::int32_t source, std::int32_t target) {
    return (source + target) % 2 == 0 ? -2.0F : 2.0F;
}

TEST(EdgeClassifierTest, EdgesAboveTheCutStayWithTheirProbabilities) {
    FunctionScorer network(sum_is_odd);
    const Edges edges{{1, 2, 3}, {0, 0, 0}};
    const auto kept = classify_edges(network, {features, width}, edges.view(), {});
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_EQ(kept->edges, (Edges{{1, 3}, {0, 0}}));
    EXPECT_FLOAT_EQ(kept->scores[0], 0.880797F);
}

TEST(EdgeClassifierTest, ChunksGiveWhatTheWholeGives) {
    const Edges edges{{1, 2, 3, 3, 2}, {0, 0, 0, 1, 1}};
    FunctionScorer whole(sum_is_odd);
    const auto expected = classify_edges(whole, {features, width}, edges.view(), {});
    FunctionScorer parts(sum_is_odd);
    const auto kept =
        classify_edges(parts, {features, width}, edges.view(), {.chunk_edge_count = 2});
    EXPECT_EQ(*kept, *expected);
    EXPECT_EQ(parts.edge_counts, (std::vector<std::size_t>{2, 2, 1}));
}

TEST(EdgeClassifierTest, UndirectedNetworkSeesBothDirections) {
    FunctionScorer network(
        [](std::int32_t source, std::int32_t target) { return source > target ? 1.0F : -1.0F; });
    const Edges edges{{1, 0}, {0, 2}};
    const auto kept =
        classify_edges(network, {features, width}, edges.view(), {.undirected = true});
    ASSERT_TRUE(kept);
    EXPECT_EQ(network.edge_counts, (std::vector<std::size_t>{4}));
    EXPECT_EQ(kept->edges, (Edges{{1}, {0}}));
}

TEST(EdgeClassifierTest, WithoutEdgesTheNetworkIsNotAsked) {
    FunctionScorer network(sum_is_odd);
    const auto kept = classify_edges(network, {features, width}, {}, {});
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->size(), 0U);
    EXPECT_TRUE(network.edge_counts.empty());
}

TEST(EdgeClassifierTest, ScoreThatIsNotANumberIsRefused) {
    FunctionScorer network([](std::int32_t, std::int32_t) { return std::nanf(""); });
    const Edges edges{{1}, {0}};
    const auto kept = classify_edges(network, {features, width}, edges.view(), {});
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error().code, ErrorCode::internal);
    EXPECT_EQ(kept.error().message,
              "score of edge 0 is NaN (it must be a number): check the network's weights and the "
              "scales of its features");
}

class ShortScorer : public EdgeScorer {
  public:
    Result<std::vector<float>> score(const Points&, const EdgesView&) override {
        return std::vector<float>{1};
    }
};

TEST(EdgeClassifierTest, TooFewScoresAreRefused) {
    ShortScorer network;
    const Edges edges{{1, 2}, {0, 0}};
    EXPECT_FALSE(classify_edges(network, {features, width}, edges.view(), {}));
    EXPECT_FALSE(classify_edges(network, {features, width}, edges.view(), {.undirected = true}));
}

}  // namespace
}  // namespace farm::tracking
