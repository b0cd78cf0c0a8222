#include <gtest/gtest.h>

#include "tests/sim/farm.h"

namespace farm::sim {
namespace {

/// In four parts, so that a runner may split them and a failure says early where it was.
class FarmSimTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(FarmSimTest, EverySeedKeepsTheRules) {
    const std::uint64_t first = GetParam();
    const Campaign campaign = run_seeds(first, first + 249);
    print_failure(campaign);
    EXPECT_FALSE(campaign.failed_seed) << campaign.failure.rule << ": " << campaign.failure.text;
    EXPECT_GT(campaign.statuses.at("OK"), 2000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FarmSimTest, ::testing::Values(1, 251, 501, 751));

TEST(FarmSimReplayTest, ASeedRepeats) {
    const Result first = run_seed(7, true, false);
    const Result second = run_seed(7, true, false);
    EXPECT_EQ(first.events, second.events);
    EXPECT_EQ(first.tail, second.tail);
}

}  // namespace
}  // namespace farm::sim
