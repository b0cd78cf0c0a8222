#include "cpu_client/events/hit_weights.h"

#include <cmath>
#include <unordered_map>

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

/// The weights that the challenge gave to the same particles, which all of their hits are here of.
TEST(HitWeightsTest, RealEventHasTheSameWeightsUpToItsSum) {
    auto event = read_event("data/trackml/event000000001");
    ASSERT_TRUE(event) << event.error().message;
    double given_sum = 0;
    for (const TruthHit& hit : event->truth) given_sum += hit.weight;
    const auto given = event->truth;
    set_weights(*event);
    std::size_t different = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const double weight = event->truth[i].weight * given_sum;
        if (std::abs(weight - given[i].weight) > 0.01 * given[i].weight + 1e-12) ++different;
    }
    EXPECT_EQ(different, 0U) << "of " << given.size();
}

}  // namespace
}  // namespace farm
