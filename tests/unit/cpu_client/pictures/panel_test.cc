#include "cpu_client/pictures/panel.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using Ticks = std::vector<double>;

TEST(AxisTest, TicksAreRoundNumbersWithinTheAxis) {
    EXPECT_EQ(axis_ticks({"", 0, 1}), (Ticks{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
    EXPECT_EQ(axis_ticks({"", -1100, 1100}), (Ticks{-1000, -500, 0, 500, 1000}));
    EXPECT_EQ(axis_ticks({"", 1, 20, true}), (Ticks{1, 2, 5, 10, 20}));
    EXPECT_EQ(axis_ticks({"", 0.5, 20, true}), (Ticks{0.5, 1, 2, 5, 10, 20}));
}

TEST(AxisTest, RoundUpGivesTheNextRoundNumber) {
    EXPECT_DOUBLE_EQ(round_up(0.3), 0.5);
    EXPECT_DOUBLE_EQ(round_up(1000), 1000);
    EXPECT_DOUBLE_EQ(round_up(1001), 2000);
    EXPECT_DOUBLE_EQ(round_up(7), 10);
    EXPECT_DOUBLE_EQ(round_up(0), 1);
}

TEST(PanelTest, CornersOfTheAxesAreCornersOfTheBox) {
    const Panel panel({10, 20, 100, 50}, {"x", -1, 1}, {"y", 1, 100, true});
    EXPECT_DOUBLE_EQ(panel.at(-1, 1).x, 10);
    EXPECT_DOUBLE_EQ(panel.at(-1, 1).y, 70);
    EXPECT_DOUBLE_EQ(panel.at(1, 100).x, 110);
    EXPECT_DOUBLE_EQ(panel.at(1, 100).y, 20);
    EXPECT_DOUBLE_EQ(panel.at(0, 10).x, 60);
    EXPECT_DOUBLE_EQ(panel.at(0, 10).y, 45);
}

}  // namespace
}  // namespace farm
