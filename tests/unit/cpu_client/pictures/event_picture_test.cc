#include "cpu_client/pictures/event_picture.h"

#include <gtest/gtest.h>

#include "tests/unit/cpu_client/pictures/well_formed.h"

namespace farm {
namespace {

using Labels = std::vector<std::int64_t>;

/// Two particles of six hits each, along x and along y, and four hits of noise.
TrackmlEvent event() {
    TrackmlEvent made;
    const auto add = [&](std::uint64_t particle, float x, float y) {
        const auto id = static_cast<std::int32_t>(made.hits.size() + 1);
        made.hits.push_back({id, x, y, x + y, 8, 2, 1});
        made.truth.push_back({id, particle, x, y, x + y, 2, 0, 0, 1});
    };
    made.particles = {{1, 0, 0, 0, 2, 0, 0, 1, 6}, {2, 0, 0, 0, 0, 2, 0, 1, 6}};
    for (int i = 1; i <= 6; ++i) add(1, 30.0F * static_cast<float>(i), 0);
    for (int i = 1; i <= 6; ++i) add(2, 0, 30.0F * static_cast<float>(i));
    for (int i = 1; i <= 5; ++i) add(0, -30.0F * static_cast<float>(i), 10);
    return made;
}

/// Particle 1 is found, particle 2 missed, the noise is a fake.
const Labels labels{0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, 5, 5, 5, 5, 5};

TEST(EventPictureTest, FoundMissedAndFakeAreNamedAndMarked) {
    const TrackmlEvent made = event();
    const auto truth = EventTruth::make(made, {});
    ASSERT_TRUE(truth);
    const auto svg = draw_event({"event <1>", made.hits, labels, &*truth});
    ASSERT_TRUE(svg) << svg.error().message;
    EXPECT_EQ(testing::xml_fault(*svg), "");
    for (const char* text : {"event &lt;1&gt;", "x [mm]", "y [mm]", "z [mm]", "r [mm]", "17 hits",
                             ">1 tracks found<", ">1 particles missed<", ">1 fakes<"}) {
        EXPECT_NE(svg->find(text), std::string::npos) << text;
    }
}

TEST(EventPictureTest, WithoutTruthTracksHaveNoVerdict) {
    const TrackmlEvent made = event();
    const auto svg = draw_event({"event", made.hits, labels});
    ASSERT_TRUE(svg);
    EXPECT_EQ(testing::xml_fault(*svg), "");
    EXPECT_NE(svg->find("2 tracks"), std::string::npos);
    EXPECT_EQ(svg->find("fakes"), std::string::npos);
}

TEST(EventPictureTest, EmptyEventIsDrawn) {
    const auto svg = draw_event({"nothing", {}, {}});
    ASSERT_TRUE(svg);
    EXPECT_EQ(testing::xml_fault(*svg), "");
}

TEST(EventPictureTest, AnotherNumberOfLabelsIsRefused) {
    const TrackmlEvent made = event();
    const Labels few{1, 2};
    const auto svg = draw_event({"event", made.hits, few});
    ASSERT_FALSE(svg);
    EXPECT_EQ(svg.error().message, "there are 2 labels (there are 17 hits): give one for each");
}

}  // namespace
}  // namespace farm
