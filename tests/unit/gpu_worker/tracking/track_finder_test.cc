#include "gpu_worker/tracking/track_finder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/gpu_worker/tracking/fake_networks.h"
#include "tests/unit/gpu_worker/tracking/random_points.h"

namespace farm::tracking {
namespace {

using testing::clustered_points;
using testing::FeatureEmbedder;
using testing::FunctionScorer;
using testing::PointSet;

TrackNetworks networks(const FunctionScorer::Function& filter,
                       const FunctionScorer::Function& classifier) {
    TrackNetworks made{std::make_unique<FeatureEmbedder>(), nullptr, nullptr};
    if (filter) made.filter = std::make_unique<FunctionScorer>(filter);
    made.classifier = std::make_unique<FunctionScorer>(classifier);
    return made;
}

float good(std::int32_t, std::int32_t) { return 4; }

CpuTrackFinder finder_of(const TrackFinderConfig& config) {
    return CpuTrackFinder(config, networks(nullptr, good));
}

FoundTracks found_in(CpuTrackFinder& finder, const PointSet& points,
                     std::span<const std::size_t> event_ends = {}) {
    const auto found = finder.find(points.view(), event_ends);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : FoundTracks{};
}

TEST(TrackFinderTest, EveryStageReportsTheEdgesThatItLeaves) {
    // 0, 1, 2 lie close together; the filter drops 2-0 and the classifier dislikes 2-1.
    CpuTrackFinder finder(
        {.radius = {.radius = 1}},
        networks([](auto source, auto target) { return source - target > 1 ? -3 : 3; },
                 [](auto source, auto) { return source > 1 ? -3 : 3; }));
    const PointSet points{{0, 0, 0, 0.1F, 0, 0, 0.2F, 0, 0, 9, 9, 9}};
    const FoundTracks found = found_in(finder, points);
    EXPECT_EQ(found.tracks, (Tracks{{0, 0, 1, 2}, 3}));
    EXPECT_EQ(found.edges.edges, (Edges{{1, 2}, {0, 1}}));
    std::vector<std::string_view> names;
    std::vector<std::size_t> edge_counts;
    for (const StageReport& stage : found.stages) {
        names.push_back(stage.name);
        edge_counts.push_back(stage.edge_count);
    }
    EXPECT_EQ(names, (std::vector<std::string_view>{"embedding", "graph", "filter", "classifier",
                                                    "tracks"}));
    EXPECT_EQ(edge_counts, (std::vector<std::size_t>{0, 3, 2, 2, 2}));
}

TEST(TrackFinderTest, EdgesAreKeptWhenAskedForAndChangeNoTrack) {
    const PointSet points{{0, 0, 0, 0.1F, 0, 0, 0.2F, 0, 0, 9, 9, 9}};
    const auto two_apart = [](auto source, auto target) { return source - target > 1 ? -3 : 3; };
    const Edges all{{1, 2, 2}, {0, 0, 1}};
    for (const bool has_filter : {false, true}) {
        CpuTrackFinder finder(
            {.radius = {.radius = 1}},
            networks(has_filter ? FunctionScorer::Function(two_apart) : nullptr, good));
        const FoundTracks kept = found_in(finder, points);
        EXPECT_EQ(kept.graph, all) << "also without a filter";
        EXPECT_EQ(kept.edges.size(), has_filter ? 2U : 3U);
        const auto bare = finder.find(points.view(), {}, KeepEdges::no);
        ASSERT_TRUE(bare);
        EXPECT_EQ(bare->tracks, kept.tracks);
        EXPECT_EQ(bare->graph, Edges{});
        EXPECT_EQ(bare->edges, ScoredEdges{});
        EXPECT_EQ(bare->stages[1].edge_count, 3U);
    }
}

TEST(TrackFinderTest, EventsTogetherGetTheTracksOfEachAlone) {
    for (const TrackMethod method :
         {TrackMethod::components, TrackMethod::junction_removal, TrackMethod::walkthrough}) {
        CpuTrackFinder finder = finder_of({.radius = {.radius = 0.1F}, .track_method = method});
        PointSet all;
        std::vector<std::size_t> ends;
        std::vector<Label> expected;
        for (const std::size_t size : {40U, 0U, 1U, 120U, 7U}) {
            // The same seed: without the ends, equal points of two events would be joined.
            const PointSet event = clustered_points(size, 3, 8, 0.03F, 5);
            const FoundTracks alone = found_in(finder, event);
            expected.insert(expected.end(), alone.tracks.labels.begin(), alone.tracks.labels.end());
            all.values.insert(all.values.end(), event.values.begin(), event.values.end());
            ends.push_back(all.view().size());
        }
        EXPECT_EQ(found_in(finder, all, ends).tracks.labels, expected);
    }
}

TEST(TrackFinderTest, DoubletsNeedNoEmbedder) {
    TrackNetworks bare{nullptr, nullptr, std::make_unique<FunctionScorer>(good)};
    CpuTrackFinder finder({.scales = {1, 1, 1}, .graph_method = GraphMethod::doublets},
                          std::move(bare));
    const FoundTracks found = found_in(finder, {{30, 1, 0, 60, 1, 0, 90, 1, 0, 60, 2, 0}});
    EXPECT_EQ(found.tracks, (Tracks{{0, 0, 0, 1}, 2}));
}

TEST(TrackFinderTest, SmallTracksAreDroppedWhenAskedFor) {
    CpuTrackFinder finder = finder_of({.radius = {.radius = 1}, .minimum_hit_count = 2});
    const FoundTracks found = found_in(finder, {{9, 9, 9, 0, 0, 0, 0, 0, 0}});
    EXPECT_EQ(found.tracks, (Tracks{{no_track, 0, 0}, 1}));
}

TEST(TrackFinderTest, EmptyEventAndLoneHit) {
    CpuTrackFinder finder = finder_of({});
    EXPECT_EQ(found_in(finder, {}).tracks, (Tracks{{}, 0}));
    EXPECT_EQ(found_in(finder, {{1, 2, 3}}).tracks, (Tracks{{0}, 1}));
}

TEST(TrackFinderTest, BadFeaturesAreRefused) {
    CpuTrackFinder finder = finder_of({});
    const auto nan = finder.find(PointSet{{1, 2, std::nanf("")}}.view());
    ASSERT_FALSE(nan);
    EXPECT_EQ(nan.error().code, ErrorCode::invalid);
    EXPECT_FALSE(finder.find(PointSet{{1, 2}, 2}.view()));
}

TEST(TrackFinderTest, GraphBeyondItsLimitIsRefused) {
    CpuTrackFinder finder = finder_of({.radius = {.radius = 10, .edge_limit = 100}});
    const auto found = finder.find(clustered_points(1000, 3, 10, 1, 1).view());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::too_large);
}

/// Three edges each: the limit was that of each event.
TEST(TrackFinderTest, EventsTogetherKeepToTheLimitOfEdges) {
    const PointSet two_events{std::vector<float>(6 * 3)};
    const std::vector<std::size_t> ends{3, 6};
    CpuTrackFinder enough = finder_of({.radius = {.radius = 1, .edge_limit = 6}});
    EXPECT_EQ(found_in(enough, two_events, ends).edges.size(), 6U);
    CpuTrackFinder radius = finder_of({.radius = {.radius = 1, .edge_limit = 5}});
    const auto refused = radius.find(two_events.view(), ends);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::too_large);
    EXPECT_TRUE(radius.find(PointSet{std::vector<float>(3 * 3)}.view()));

    CpuTrackFinder doublets = finder_of({.scales = {1, 1, 1},
                                         .graph_method = GraphMethod::doublets,
                                         .doublets = {.edge_limit = 1}});
    const PointSet pair{{30, 1, 0, 60, 1, 0}};
    const PointSet two_pairs{{30, 1, 0, 60, 1, 0, 30, 1, 0, 60, 1, 0}};
    EXPECT_TRUE(doublets.find(pair.view()));
    EXPECT_FALSE(doublets.find(two_pairs.view(), std::vector<std::size_t>{2, 4}));
}

TEST(TrackFinderTest, PointsBeyondTheirLimitAreRefused) {
    CpuTrackFinder finder = finder_of({.point_limit = 2});
    EXPECT_TRUE(finder.find(PointSet{std::vector<float>(2 * 3)}.view()));
    const auto found = finder.find(PointSet{std::vector<float>(3 * 3)}.view());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::too_large);
    EXPECT_EQ(found.error().message, "there are 3 space points (the limit is 2): split the event");
}

class FixedEmbedder : public Embedder {
  public:
    explicit FixedEmbedder(Embedding embedding) : embedding_(std::move(embedding)) {}
    Result<Embedding> embed(const Points&) override { return embedding_; }

  private:
    Embedding embedding_;
};

TEST(TrackFinderTest, EmbeddingThatCannotBeIsNoFaultOfTheCaller) {
    const auto error_of = [](Embedding embedding) {
        TrackNetworks made{std::make_unique<FixedEmbedder>(std::move(embedding)), nullptr,
                           std::make_unique<FunctionScorer>(good)};
        CpuTrackFinder finder({}, std::move(made));
        const auto found = finder.find(PointSet{{1, 2, 3}}.view());
        return found ? Error{ErrorCode::invalid, "none"} : found.error();
    };
    for (const Embedding& bad : {Embedding{{std::nanf("")}, 1}, Embedding{{1, 2}, 1},
                                 Embedding{std::vector<float>(65), 65}}) {
        EXPECT_EQ(error_of(bad).code, ErrorCode::internal) << error_of(bad).message;
    }
    EXPECT_EQ(error_of({{std::nanf("")}, 1}).message,
              "points of the embedding: coordinate 0 of point 0 is nan (it must be finite): leave "
              "the point out");
}

}  // namespace
}  // namespace farm::tracking
