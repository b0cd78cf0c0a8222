#include "cpu_client/app/track_service.h"

#include <gtest/gtest.h>

#include <limits>

namespace farm {
namespace {

template <class Number>
Tensor tensor_of(std::string name, Shape shape, const std::vector<Number>& values) {
    return {{std::move(name), dtype_of<Number>(), std::move(shape)},
            Buffer::copy_of(std::as_bytes(std::span(values)))};
}

/// A particle of six hits along x and two hits of noise.
TrackmlEvent event() {
    TrackmlEvent made;
    made.particles = {{1, 0, 0, 0, 2, 0, 0, 1, 6}};
    for (std::int32_t id = 1; id <= 8; ++id) {
        const auto x = static_cast<float>(id);
        made.hits.push_back({id, x, 0, 0, 8, 2, 1});
        made.truth.push_back({id, id <= 6 ? 1ULL : 0ULL, x, 0, 0, 2, 0, 0, 1});
    }
    return made;
}

/// The graph has four edges, one of them between the hits of noise; the filter drops one; the
/// classifier likes two of the three that are left.
Inference answer() {
    Inference answer;
    answer.status = CallStatus::ok;
    answer.outputs = {tensor_of<std::int64_t>("LABELS", {8}, {0, 0, 0, 0, 0, 0, 1, -1}),
                      tensor_of<std::int32_t>("GRAPH_EDGES", {2, 4}, {1, 2, 3, 7, 0, 1, 2, 6}),
                      tensor_of<std::int64_t>("EDGES", {2, 3}, {1, 2, 7, 0, 1, 6}),
                      tensor_of<float>("SCORES", {3}, {0.9F, 0.8F, 0.5F}),
                      tensor_of<double>("STAGES", {5, 2}, {1, 0, 2, 4, 3, 3, 4, 3, 5, 3})};
    return answer;
}

TEST(TrackServiceTest, AnswerIsReadAndJudged) {
    const auto truth = EventTruth::make(event(), {});
    ASSERT_TRUE(truth);
    const auto found = TrackService::read(answer(), 8, &*truth);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->track_count, 1U) << "a track of one hit is none";
    ASSERT_EQ(found->stages.size(), 5U);
    EXPECT_EQ(found->stages[1].name, "graph");
    EXPECT_EQ(found->stages[1].ms, 2);
    EXPECT_EQ(found->stages[1].edge_count, 4U);
    EXPECT_DOUBLE_EQ(found->stages[1].edges->efficiency(), 3.0 / 5);
    EXPECT_DOUBLE_EQ(found->stages[1].edges->purity(), 3.0 / 4);
    EXPECT_EQ(found->stages[2].edge_count, 3U);
    EXPECT_DOUBLE_EQ(found->stages[2].edges->efficiency(), 2.0 / 5);
    EXPECT_EQ(found->stages[3].edge_count, 2U) << "a score of 0.5 is not above it";
    EXPECT_DOUBLE_EQ(found->stages[3].edges->purity(), 1);
    EXPECT_FALSE(found->stages[4].edges);
    EXPECT_EQ(found->metrics->all.double_majority, 1U);
}

TEST(TrackServiceTest, WithoutTruthOnlyTheServiceSpeaks) {
    const auto found = TrackService::read(answer(), 8, nullptr);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->metrics);
    EXPECT_EQ(found->stages[1].edge_count, 4U);
    EXPECT_FALSE(found->stages[1].edges);
    EXPECT_FALSE(found->stages[3].edge_count) << "the classifier drops no edge";
}

TEST(TrackServiceTest, ServiceThatGivesLabelsAloneIsEnough) {
    Inference labels = answer();
    labels.outputs.resize(1);
    const auto truth = EventTruth::make(event(), {});
    const auto found = TrackService::read(labels, 8, &*truth);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->stages.empty());
    EXPECT_EQ(found->metrics->all.double_majority, 1U);
}

TEST(TrackServiceTest, AnswerThatDoesNotFitIsRefused) {
    EXPECT_EQ(TrackService::read(answer(), 9, nullptr).error().message,
              "the answer has 8 LABELS (the event has 9 hits): is the model a track finding "
              "service?");
    EXPECT_FALSE(TrackService::read({}, 0, nullptr));
    const auto truth = EventTruth::make(event(), {});
    Inference other = answer();
    other.outputs[1] = tensor_of<std::int32_t>("GRAPH_EDGES", {2, 1}, {0, 8});
    EXPECT_FALSE(TrackService::read(other, 8, &*truth)) << "there is no hit 8";
    other = answer();
    other.outputs[3] = tensor_of<float>("SCORES", {1}, {1});
    EXPECT_FALSE(TrackService::read(other, 8, &*truth));
    other = answer();
    other.outputs[4] = tensor_of<double>("STAGES", {1, 2}, {1, 0});
    EXPECT_FALSE(TrackService::read(other, 8, nullptr));
}

/// They became counts as they were, and NaN a time.
TEST(TrackServiceTest, StageNumbersThatCannotBeAreRefused) {
    const auto message_of = [](std::size_t place, double number) {
        std::vector<double> numbers{1, 0, 2, 4, 3, 3, 4, 3, 5, 3};
        numbers[place] = number;
        Inference bad = answer();
        bad.outputs[4] = tensor_of<double>("STAGES", {5, 2}, numbers);
        const auto found = TrackService::read(bad, 8, nullptr);
        return found ? "none" : found.error().message;
    };
    EXPECT_EQ(message_of(3, -1),
              "the answer has -1 in STAGES (numbers there are 0 to 9007199254740992): is the model "
              "a track finding service?");
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const std::size_t place : {2U, 3U}) {  // milliseconds and edges of the graph
        for (const double number : {nan, infinity, -infinity, -1.0, 1e20}) {
            EXPECT_NE(message_of(place, number), "none") << number << " at " << place;
        }
    }
    EXPECT_EQ(message_of(3, 9'007'199'254'740'992), "none");
}

}  // namespace
}  // namespace farm
