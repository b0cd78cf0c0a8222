#include "cpu_client/events/hit_weights.h"

#include <cmath>

#include <gtest/gtest.h>

namespace farm {
namespace {

/// Hits of particle 1 at z = 1, 2, ... and one of noise.
TrackmlEvent event_with(int hit_count, float pt) {
    TrackmlEvent event;
    event.particles.push_back({1, 0, 0, 0, pt, 0, 0, 1, 0});
    for (int i = 1; i <= hit_count; ++i) {
        event.hits.push_back({i, 0, 0, 0, 1, 1, 1});
        event.truth.push_back({i, 1, 0, 0, static_cast<float>(i), 0, 0, 0, 0});
    }
    event.hits.push_back({hit_count + 1, 0, 0, 0, 1, 1, 1});
    event.truth.push_back({hit_count + 1, 0, 0, 0, 0, 0, 0, 0, 9});
    set_weights(event);
    return event;
}

TEST(HitWeightsTest, NineHitsHaveTheTemplate) {
    const TrackmlEvent event = event_with(9, 1);
    const double sum = 10 + 8 + 6 + 5 + 3 + 3 + 3 + 5 + 6;
    EXPECT_NEAR(event.truth[0].weight, 10 / sum, 1e-6);
    EXPECT_NEAR(event.truth[3].weight, 5 / sum, 1e-6);
    EXPECT_NEAR(event.truth[8].weight, 6 / sum, 1e-6);
    EXPECT_EQ(event.truth[9].weight, 0);
}

TEST(HitWeightsTest, FiveHitsTakeEachSecondOfTheTemplate) {
    const TrackmlEvent event = event_with(5, 1);
    const double sum = 10 + 6 + 3 + 3 + 6;
    EXPECT_NEAR(event.truth[1].weight, 6 / sum, 1e-6);
}

TEST(HitWeightsTest, ThreeHitsAndHitsBeyondTheTwentiethWeighNothing) {
    for (const TruthHit& hit : event_with(3, 1).truth) EXPECT_EQ(hit.weight, 0);
    const TrackmlEvent longer = event_with(22, 1);
    EXPECT_GT(longer.truth[19].weight, 0);
    EXPECT_EQ(longer.truth[20].weight, 0);
}

/// The weights that the challenge gave to the same particles, up to a factor, because the event is
/// cut from a larger one. 41 particles of 4 hits or more weigh nothing there and are left out.
TEST(HitWeightsTest, RealEventHasTheSameWeightsUpToAFactor) {
    auto event = read_event("data/trackml/event000000001");
    ASSERT_TRUE(event) << event.error().message;
    const auto given = event->truth;
    set_weights(*event);
    double given_sum = 0, sum = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i].weight == 0) continue;
        given_sum += given[i].weight;
        sum += event->truth[i].weight;
    }
    std::size_t different = 0, weighing = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i].weight == 0) continue;
        ++weighing;
        const double ratio = event->truth[i].weight / sum / (given[i].weight / given_sum);
        different += std::abs(ratio - 1) > 0.002 ? 1 : 0;  // the file has six digits
    }
    EXPECT_EQ(different, 0U);
    EXPECT_GT(weighing, 4000U);
}

}  // namespace
}  // namespace farm
