#include "cpu_client/app/statistics.h"

#include <numeric>

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(PercentileTest, IsTheNearestRank) {
    std::vector<double> hundred(100);
    std::iota(hundred.begin(), hundred.end(), 1.0);
    EXPECT_EQ(percentile(hundred, 0.50), 50);
    EXPECT_EQ(percentile(hundred, 0.90), 90);
    EXPECT_EQ(percentile(hundred, 0.99), 99);
    EXPECT_EQ(percentile(hundred, 0), 1);
    EXPECT_EQ(percentile(hundred, 1), 100);
}

TEST(PercentileTest, OfFewSamples) {
    EXPECT_EQ(percentile({}, 0.5), 0);
    const std::vector<double> one{7};
    EXPECT_EQ(percentile(one, 0.01), 7);
    EXPECT_EQ(percentile(one, 0.99), 7);
    const std::vector<double> three{1, 2, 3};
    EXPECT_EQ(percentile(three, 0.5), 2);
    EXPECT_EQ(percentile(three, 0.99), 3);
}

StableWindows windows(std::initializer_list<StableWindows::Window> all) {
    StableWindows stable;
    for (const auto& window : all) stable.add(window);
    return stable;
}

TEST(StableWindowsTest, NeedsThreeThatAgree) {
    EXPECT_FALSE(windows({{100, 5}, {100, 5}}).stable());
    EXPECT_TRUE(windows({{100, 5}, {105, 5.1}, {95, 4.9}}).stable());
}

TEST(StableWindowsTest, OnlyTheLastThreeCount) {
    EXPECT_TRUE(windows({{10, 50}, {100, 5}, {100, 5}, {100, 5}}).stable());
    EXPECT_FALSE(windows({{100, 5}, {100, 5}, {100, 5}, {10, 50}}).stable());
}

TEST(StableWindowsTest, RateAndLatencyMustBothAgree) {
    EXPECT_FALSE(windows({{100, 5}, {100, 6}, {100, 7}}).stable());
    EXPECT_FALSE(windows({{100, 5}, {120, 5}, {140, 5}}).stable());
}

TEST(StableWindowsTest, NothingDoneIsNotStable) {
    EXPECT_FALSE(windows({{0, 0}, {0, 0}, {0, 0}}).stable());
}

}  // namespace
}  // namespace farm
