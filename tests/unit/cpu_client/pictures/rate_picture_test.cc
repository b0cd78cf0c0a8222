#include "cpu_client/pictures/rate_picture.h"

#include <gtest/gtest.h>

#include "tests/unit/cpu_client/pictures/well_formed.h"

namespace farm {
namespace {

TEST(BinomialIntervalTest, IsWilsonsInterval) {
    const Interval half = binomial_interval(50, 100);
    EXPECT_NEAR(half.low, 0.4502, 1e-4);  // 0.5 +- sqrt(0.25/100 + 0.25/10000) / 1.01
    EXPECT_NEAR(half.high, 0.5498, 1e-4);
    EXPECT_NEAR(binomial_interval(0, 10).low, 0, 1e-15);
    EXPECT_NEAR(binomial_interval(0, 10).high, 1.0 / 11, 1e-12);
    EXPECT_NEAR(binomial_interval(10, 10).low, 10.0 / 11, 1e-12);
    EXPECT_DOUBLE_EQ(binomial_interval(10, 10).high, 1);
    EXPECT_EQ(binomial_interval(0, 0).low, 0);
    EXPECT_EQ(binomial_interval(0, 0).high, 1);
}

TEST(RatePictureTest, ShowsBothRatesAndIsWellFormed) {
    TrackMetrics metrics;
    metrics.all = {.particles = 10, .double_majority = 9, .clusters = 20, .fakes = 1};
    metrics.by_pt[4] = metrics.all;
    metrics.by_abs_eta[0] = metrics.all;
    const std::string svg = draw_rates("3 events & more", metrics, {});
    EXPECT_EQ(testing::xml_fault(svg), "");
    for (const char* text : {"3 events &amp; more", "pT [GeV]", "|eta|", "0.900 of 10 particles",
                             "fake rate, 0.050 of 20 tracks"}) {
        EXPECT_NE(svg.find(text), std::string::npos) << text;
    }
}

TEST(RatePictureTest, NothingCountedIsDrawnToo) {
    for (const double pt_min : {0.0, 1.0, 1e6}) {
        EXPECT_EQ(testing::xml_fault(draw_rates("none", {}, {.pt_min = pt_min})), "");
    }
}

}  // namespace
}  // namespace farm
