#include "cpu_client/events/truth_metrics.h"

#include <vector>

#include <gtest/gtest.h>

namespace farm {
namespace {

/// Adds a particle along x with `count` hits at x = 1, 2, ... mm.
void add_particle(TrackmlEvent& event, std::uint64_t id, float pt, int count) {
    event.particles.push_back({id, 0, 0, 0, pt, 0, 0, 1, count});
    for (int i = 1; i <= count; ++i) {
        const auto hit_id = static_cast<std::int32_t>(event.hits.size() + 1);
        const auto x = static_cast<float>(i);
        event.hits.push_back({hit_id, x, 0, 0, 8, 2, 1});
        event.truth.push_back({hit_id, id, x, 0, 0, pt, 0, 0, 1});
    }
}

void add_noise(TrackmlEvent& event, int count) {
    for (int i = 0; i < count; ++i) {
        const auto hit_id = static_cast<std::int32_t>(event.hits.size() + 1);
        event.hits.push_back({hit_id, 0, 0, 0, 8, 2, 1});
        event.truth.push_back({hit_id, 0, 0, 0, 0, 0, 0, 0, 0});
    }
}

/// Hits 0-9 of particle 1 (2 GeV), 10-15 of particle 2 (1 GeV), 16-21 of particle 3 (0.6 GeV, not
/// selected), 22-25 of particle 4 (1 GeV, too few hits), 26-31 noise.
TrackmlEvent event() {
    TrackmlEvent made;
    add_particle(made, 1, 2.0F, 10);
    add_particle(made, 2, 1.0F, 6);
    add_particle(made, 3, 0.6F, 6);
    add_particle(made, 4, 1.0F, 4);
    add_noise(made, 6);
    return made;
}

EventTruth truth_of(const TrackmlEvent& event) {
    const auto truth = EventTruth::make(event, {});
    EXPECT_TRUE(truth) << truth.error().message;
    return *truth;
}

/// Labels of hits first to last (included) become `label`; all others have none.
struct Range {
    std::size_t first, last;
    std::int64_t label;
};
TrackMetrics metrics_of(const std::vector<Range>& ranges) {
    const EventTruth truth = truth_of(event());
    std::vector<std::int64_t> labels(truth.hit_count(), -1);
    for (const Range& range : ranges) {
        for (std::size_t i = range.first; i <= range.last; ++i) labels[i] = range.label;
    }
    const auto metrics = track_metrics(truth, labels);
    EXPECT_TRUE(metrics);
    return *metrics;
}

TEST(TruthMetricsTest, PerfectTracksGetFullMarks) {
    const TrackMetrics metrics = metrics_of({{0, 9, 5}, {10, 15, 0}, {16, 21, 7}, {22, 25, 2}});
    const TrackCounts expected{2, 2, 2, 2, 0, 0, 2};
    EXPECT_EQ(metrics.all, expected);
    EXPECT_EQ(metrics.all.double_majority_efficiency(), 1);
    EXPECT_EQ(metrics.all.fake_rate(), 0);
    EXPECT_EQ(metrics.trackml_score(), 1);
}

TEST(TruthMetricsTest, NothingFoundIsNothing) {
    const TrackMetrics metrics = metrics_of({});
    EXPECT_EQ(metrics.all, (TrackCounts{2, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(metrics.trackml_score(), 0);
    EXPECT_EQ(metrics.all.fake_rate(), 0);
}

TEST(TruthMetricsTest, HalfOfAParticleIsNotDoubleMajority) {
    const TrackMetrics half = metrics_of({{0, 4, 1}});  // 5 of 10
    EXPECT_EQ(half.all, (TrackCounts{2, 0, 0, 1, 1, 0, 1}));
    EXPECT_EQ(half.trackml_score(), 0);
    const TrackMetrics more = metrics_of({{0, 5, 1}});  // 6 of 10
    EXPECT_EQ(more.all, (TrackCounts{2, 1, 0, 1, 0, 0, 1}));
    EXPECT_DOUBLE_EQ(more.trackml_score(), 6.0 / 26);
}

TEST(TruthMetricsTest, ClusterThatIsHalfAnotherIsAFake) {
    // 6 of particle 2 and 6 of particle 3 are 50 %: not more than half.
    EXPECT_EQ(metrics_of({{10, 21, 1}}).all, (TrackCounts{2, 0, 0, 1, 1, 0, 0}));
    // 6 of particle 2 and 5 of particle 3: double majority, but not perfect and below 75 %.
    EXPECT_EQ(metrics_of({{10, 20, 1}}).all, (TrackCounts{2, 1, 0, 1, 0, 0, 0}));
}

TEST(TrackVerdictsTest, SayWhatEachClusterIsAndWhatWasMissed) {
    const EventTruth truth = truth_of(event());
    std::vector<std::int64_t> labels(truth.hit_count(), -1);
    const auto label = [&](std::size_t first, std::size_t last, std::int64_t value) {
        for (std::size_t i = first; i <= last; ++i) labels[i] = value;
    };
    label(0, 6, 4);     // most of particle 1
    label(10, 12, 9);   // half of particle 2, too short to count
    label(16, 21, 2);   // particle 3, which is not selected
    label(26, 30, 30);  // noise
    label(22, 23, 8);   // 2 of particle 4, which is not selected,
    label(13, 14, 8);   // 2 of particle 2
    label(31, 31, 8);   // and noise: nobody's
    const auto verdicts = track_verdicts(truth, labels);
    ASSERT_TRUE(verdicts);
    using enum ClusterVerdict;
    EXPECT_EQ(verdicts->clusters, (std::map<std::int64_t, ClusterVerdict>{
                                      {4, found}, {9, other}, {2, other}, {30, fake}, {8, fake}}));
    EXPECT_EQ(verdicts->missed, (std::vector<std::uint32_t>{1}));
}

TEST(TrackVerdictsTest, AnotherNumberOfLabelsIsAnError) {
    EXPECT_FALSE(track_verdicts(truth_of(event()), {}));
}

TEST(TruthMetricsTest, SplitTrackIsADuplicateAndAFake) {
    // 5 + 5 of particle 1: neither holds more than half, the second is the duplicate.
    EXPECT_EQ(metrics_of({{0, 4, 1}, {5, 9, 2}}).all, (TrackCounts{2, 0, 0, 2, 2, 1, 2}));
    // 6 + 4: the second is too short to be counted.
    EXPECT_EQ(metrics_of({{0, 5, 1}, {6, 9, 2}}).all, (TrackCounts{2, 1, 0, 1, 0, 0, 1}));
}

TEST(TruthMetricsTest, ClustersOfParticlesThatAreNotSelectedDoNotCount) {
    EXPECT_EQ(metrics_of({{16, 21, 1}}).all, (TrackCounts{2, 0, 0, 0, 0, 0, 0}));
    EXPECT_DOUBLE_EQ(metrics_of({{16, 21, 1}}).trackml_score(), 6.0 / 26);
    EXPECT_EQ(metrics_of({{22, 27, 1}}).all, (TrackCounts{2, 0, 0, 0, 0, 0, 0}));
}

/// Only those led by a selected particle counted, which left most fakes out.
TEST(TruthMetricsTest, ClusterWithoutAMajorityIsAFakeWhoeverLeadsIt) {
    // 6 hits of particle 3, which is not selected, and 6 of noise: half is no majority.
    const TrackMetrics half = metrics_of({{16, 21, 1}, {26, 31, 1}});
    EXPECT_EQ(half.all, (TrackCounts{2, 0, 0, 1, 1, 0, 0}));
    EXPECT_EQ(half.all.fake_rate(), 1);
    EXPECT_EQ(half.by_pt[2], (TrackCounts{0, 0, 0, 1, 1, 0, 0}));  // 0.5 to 0.75 GeV: particle 3
    // With 5 of noise it is particle 3's: 6 of 11.
    EXPECT_EQ(metrics_of({{16, 21, 1}, {26, 30, 1}}).all, (TrackCounts{2, 0, 0, 0, 0, 0, 0}));
    // 2 hits of particle 3, and 1 each of 1, 2 and 4: nobody's.
    EXPECT_EQ(metrics_of({{0, 0, 1}, {10, 10, 1}, {16, 17, 1}, {22, 22, 1}}).all,
              (TrackCounts{2, 0, 0, 1, 1, 0, 0}));
    // Such a cluster of 4 hits is too short to count.
    EXPECT_EQ(metrics_of({{16, 17, 1}, {26, 27, 1}}).all, (TrackCounts{2, 0, 0, 0, 0, 0, 0}));
}

/// The leader's other hits make the better cluster; without a majority this is no duplicate of it.
TEST(TruthMetricsTest, ClusterWithoutAMajorityIsNoDuplicate) {
    EXPECT_EQ(metrics_of({{0, 6, 1}, {7, 9, 2}, {26, 29, 2}}).all,
              (TrackCounts{2, 1, 0, 2, 1, 0, 1}));
}

TEST(TruthMetricsTest, ClusterOfNoiseIsAFakeInNoBin) {
    const TrackMetrics metrics = metrics_of({{26, 30, 1}});
    EXPECT_EQ(metrics.all, (TrackCounts{2, 0, 0, 1, 1, 0, 0}));
    for (const TrackCounts& bin : metrics.by_pt) EXPECT_EQ(bin.fakes, 0U);
    EXPECT_EQ(metrics_of({{26, 29, 1}}).all.clusters, 0U);  // 4 hits are not counted
}

TEST(TruthMetricsTest, NoiseInAClusterLowersItsPurity) {
    // 6 hits of particle 2, 2 of noise (label 1 twice): 75 % is not more than 75 %.
    EXPECT_EQ(metrics_of({{10, 15, 1}, {26, 27, 1}}).all, (TrackCounts{2, 1, 0, 1, 0, 0, 0}));
    EXPECT_EQ(metrics_of({{10, 15, 1}, {26, 26, 1}}).all, (TrackCounts{2, 1, 0, 1, 0, 0, 1}));
}

TEST(TruthMetricsTest, BinsAreByTheParticle) {
    const TrackMetrics metrics = metrics_of({{0, 9, 1}});
    EXPECT_EQ(metrics.by_pt[4], (TrackCounts{1, 0, 0, 0, 0, 0, 0}));  // 1 to 1.5 GeV: particle 2
    EXPECT_EQ(metrics.by_pt[6], (TrackCounts{1, 1, 1, 1, 0, 0, 1}));  // 2 to 3 GeV: particle 1
    EXPECT_EQ(metrics.by_abs_eta[0], metrics.all);
}

TEST(TruthMetricsTest, MetricsOfEventsAddUp) {
    TrackMetrics sum = metrics_of({{0, 9, 1}});
    sum += metrics_of({});
    EXPECT_EQ(sum.all, (TrackCounts{4, 1, 1, 1, 0, 0, 1}));
    EXPECT_DOUBLE_EQ(sum.trackml_score(), 10.0 / 52);
}

TEST(TruthMetricsTest, OtherNumberOfLabelsIsRefused) {
    const auto metrics = track_metrics(truth_of(event()), std::vector<std::int64_t>(3));
    ASSERT_FALSE(metrics);
    EXPECT_NE(metrics.error().message.find("3 labels (there are 32 hits)"), std::string::npos);
}

EdgeMetrics edges_of(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
    const auto metrics = edge_metrics(truth_of(event()), {a, b});
    EXPECT_TRUE(metrics);
    return *metrics;
}

TEST(EdgeMetricsTest, TrueEdgesJoinHitsThatFollowEachOther) {
    // true, true backwards and again, skips a hit, other particle, noise, true of particle 3
    const EdgeMetrics metrics = edges_of({0, 2, 1, 0, 9, 9, 16}, {1, 1, 2, 2, 10, 26, 17});
    EXPECT_EQ(metrics.edges, 7U);
    EXPECT_EQ(metrics.true_edges, 4U);
    EXPECT_EQ(metrics.same_particle_edges, 5U);
    EXPECT_EQ(metrics.other_true_edges, 1U);
    EXPECT_EQ(metrics.targets, 9U + 5U);
    EXPECT_EQ(metrics.found_targets, 2U);
    EXPECT_DOUBLE_EQ(metrics.efficiency(), 2.0 / 14);
    EXPECT_DOUBLE_EQ(metrics.purity(), 4.0 / 7);
    EXPECT_DOUBLE_EQ(metrics.masked_purity(), 3.0 / 6);
    EXPECT_DOUBLE_EQ(metrics.same_particle_purity(), 5.0 / 7);
}

TEST(EdgeMetricsTest, NoEdgesAndLoopsFindNothing) {
    EXPECT_EQ(edges_of({}, {}).efficiency(), 0);
    EXPECT_EQ(edges_of({3}, {3}).same_particle_edges, 0U);
}

TEST(EdgeMetricsTest, EdgesOfAnotherEventAreRefused) {
    const EventTruth truth = truth_of(event());
    const std::vector<std::int32_t> one{0}, negative{-1}, beyond{32}, two{1, 2};
    EXPECT_FALSE(edge_metrics(truth, {one, negative}));
    EXPECT_FALSE(edge_metrics(truth, {beyond, one}));
    EXPECT_FALSE(edge_metrics(truth, {one, two}));
}

TEST(EventTruthTest, HitsFollowEachOtherByDistanceFromTheVertex) {
    TrackmlEvent made;
    add_particle(made, 1, 2, 3);
    std::swap(made.truth[0].tx, made.truth[2].tx);  // now at x = 3, 2, 1
    const EventTruth truth = truth_of(made);
    EXPECT_EQ(truth.next_hit(2), 1U);
    EXPECT_EQ(truth.next_hit(1), 0U);
    EXPECT_EQ(truth.next_hit(0), EventTruth::none);
}

TEST(EventTruthTest, TruthThatDoesNotMatchIsRefused) {
    TrackmlEvent made = event();
    made.truth[3].particle_id = 77;
    EXPECT_NE(EventTruth::make(made, {}).error().message.find("particle_id 77"), std::string::npos);
    made.truth.pop_back();
    EXPECT_NE(EventTruth::make(made, {}).error().message.find("31 rows"), std::string::npos);
}

}  // namespace
}  // namespace farm
