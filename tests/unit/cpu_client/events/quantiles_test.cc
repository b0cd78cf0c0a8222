#include "cpu_client/events/quantiles.h"

#include <cmath>

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(QuantilesTest, LinearBetweenThem) {
    constexpr Quantiles<3> quantiles{{0, 0.5, 1}, {0, 10, 40}};
    EXPECT_DOUBLE_EQ(quantiles.at(0), 0);
    EXPECT_DOUBLE_EQ(quantiles.at(0.25), 5);
    EXPECT_DOUBLE_EQ(quantiles.at(0.75), 25);
    EXPECT_DOUBLE_EQ(quantiles.at(1), 40);
}

/// Between 2 and 10 GeV the pT of secondaries was linear: most of the hardest were above 5 GeV.
TEST(FallingSpectrumTest, PowerLawBetweenShares) {
    constexpr FallingSpectrum<3> spectrum{{1, 10, 20}, {1, 0.01, 0.001}};
    EXPECT_DOUBLE_EQ(spectrum.at(0), 1);
    EXPECT_NEAR(spectrum.at(0.9), std::sqrt(10), 1e-12);
    EXPECT_NEAR(spectrum.at(0.99), 10, 1e-9);
    EXPECT_NEAR(spectrum.at(1), 20, 1e-9);
}

}  // namespace
}  // namespace farm
