#include "cpu_client/events/material.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

/// By hand, of a pion of 0.1 GeV, whose beta is 0.5824, in 1 % of a radiation length:
/// 0.0136 / (0.5824 * 0.1) * 0.1 * (1 + 0.038 * ln(0.01 / 0.5824^2)).
TEST(MaterialTest, SlowPionScattersAsInTheReviewOfParticlePhysics) {
    EXPECT_NEAR(highland_angle(0.1, 0.01), 0.020224, 1e-5);
}

TEST(MaterialTest, FastPionScattersByThicknessAndMomentumAlone) {
    EXPECT_NEAR(highland_angle(100, 0.01), 0.0136 / 100 * 0.1 * 0.825, 1e-8);
}

}  // namespace
}  // namespace farm
