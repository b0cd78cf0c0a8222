#include "bench/load/series.h"

#include <gtest/gtest.h>

namespace farm::bench {
namespace {

TEST(SeriesTest, MedianAndEnds) {
    const Spread odd = spread_of({5, 1, 3});
    EXPECT_EQ(odd.median, 3);
    EXPECT_EQ(odd.low, 1);
    EXPECT_EQ(odd.high, 5);
    EXPECT_NEAR(odd.relative(), 4.0 / 3, 1e-12);
    EXPECT_EQ(spread_of({1, 2, 3, 10}).median, 2.5);
    EXPECT_EQ(spread_of({}).median, 0);
    EXPECT_EQ(spread_of({}).relative(), 0);
}

TEST(SeriesTest, RatiosArePairedByRepeat) {
    // The machine slows down by 10 in the second repeat, for both: the ratio does not see it.
    const std::vector<double> ours{200, 20, 180};
    const std::vector<double> theirs{100, 10, 100};
    const Spread ratio = ratio_of(ours, theirs);
    EXPECT_EQ(ratio.median, 2);
    EXPECT_EQ(ratio.low, 1.8);
    EXPECT_EQ(ratio.high, 2);
}

TEST(SeriesTest, RatiosOfUnequalLengthsAndZeros) {
    const std::vector<double> three{1, 2, 3};
    const std::vector<double> with_zero{0, 4};
    EXPECT_EQ(ratio_of(three, with_zero).median, 0.5);
    EXPECT_EQ(ratio_of(three, {}).median, 0);
}

}  // namespace
}  // namespace farm::bench
