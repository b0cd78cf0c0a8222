#include "gpu_worker/tracking/connected_components.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <rapidcheck.h>

#include <random>
#include <vector>

namespace farm::tracking {
namespace {

Tracks components_of(std::size_t point_count, const Edges& edges) {
    const auto tracks = connected_components(point_count, edges.view());
    EXPECT_TRUE(tracks) << tracks.error().message;
    return tracks ? *tracks : Tracks{};
}

/// Paints each point and all that can be reached from it.
Tracks painted(std::size_t point_count, const Edges& edges) {
    Tracks tracks{std::vector<Label>(point_count, no_track), 0};
    for (std::size_t start = 0; start < point_count; ++start) {
        if (tracks.labels[start] != no_track) continue;
        const Label label = tracks.count++;
        tracks.labels[start] = label;
        for (bool grows = true; grows;) {
            grows = false;
            for (std::size_t k = 0; k < edges.size(); ++k) {
                Label& a = tracks.labels[static_cast<std::size_t>(edges.source[k])];
                Label& b = tracks.labels[static_cast<std::size_t>(edges.target[k])];
                if ((a == label) == (b == label)) continue;
                a = b = label;
                grows = true;
            }
        }
    }
    return tracks;
}

TEST(ConnectedComponentsTest, AnyEdgesGiveWhatPaintingGives) {
    const bool holds = rc::check([] {
        const auto count = *rc::gen::inRange(1, 50);
        const auto ends = rc::gen::container<std::vector<std::int32_t>>(
            *rc::gen::inRange<std::size_t>(0, 60), rc::gen::inRange(0, count));
        Edges edges{*ends, {}};
        edges.target = *rc::gen::container<std::vector<std::int32_t>>(edges.source.size(),
                                                                      rc::gen::inRange(0, count));
        const auto points = static_cast<std::size_t>(count);
        RC_ASSERT(components_of(points, edges) == painted(points, edges));
    });
    EXPECT_TRUE(holds);
}

TEST(ConnectedComponentsTest, ThreadsDoNotChangeTheLabels) {
    std::mt19937 engine(3);
    std::uniform_int_distribution<std::int32_t> point(0, 199'999);
    Edges edges;
    for (int k = 0; k < 150'000; ++k) {
        edges.source.push_back(point(engine));
        edges.target.push_back(point(engine));
    }
    const Tracks tracks = components_of(200'000, edges);
    const oneapi::tbb::global_control one(oneapi::tbb::global_control::max_allowed_parallelism, 1);
    EXPECT_TRUE(components_of(200'000, edges) == tracks);
}

TEST(ConnectedComponentsTest, LongChainIsOneTrack) {
    Edges edges;
    for (std::int32_t i = 0; i + 1 < 100'000; ++i) {
        edges.source.push_back(99'999 - i);
        edges.target.push_back(99'998 - i);
    }
    EXPECT_EQ(components_of(100'000, edges).count, 1);
}

TEST(ConnectedComponentsTest, WithoutEdgesEachPointIsATrack) {
    EXPECT_EQ(components_of(0, {}), (Tracks{{}, 0}));
    EXPECT_EQ(components_of(3, {}), (Tracks{{0, 1, 2}, 3}));
}

TEST(ConnectedComponentsTest, EdgeToAPointThatIsNotThereIsRefused) {
    for (const std::int32_t end : {-1, 3}) {
        const auto tracks = connected_components(3, Edges{{0, 1}, {1, end}}.view());
        ASSERT_FALSE(tracks);
        EXPECT_EQ(tracks.error().message, "edge 1 has target " + std::to_string(end) +
                                              " (there are 3 points): number the points from 0");
    }
    EXPECT_FALSE(connected_components(3, Edges{{0, 1}, {1}}.view()));
}

TEST(ConnectedComponentsTest, SmallTracksAreDroppedAndTheRestNumberedAnew) {
    EXPECT_EQ(without_small_tracks({{0, 1, 1, 2, 3, 3}, 4}, 2),
              (Tracks{{no_track, 0, 0, no_track, 1, 1}, 2}));
    EXPECT_EQ(without_small_tracks({{no_track, 0}, 1}, 1), (Tracks{{no_track, 0}, 1}));
}

}  // namespace
}  // namespace farm::tracking
