#include <gtest/gtest.h>

#include "tests/sim/farm.h"

namespace farm::sim {
namespace {

/// Linked with a broker that forgets the calls of a lost worker: a checker that does not see it
/// proves nothing about the real one.
TEST(FarmSimCanary, TheCheckerFindsAPlantedDefect) {
    const Campaign campaign = run_seeds(1, 300);
    ASSERT_TRUE(campaign.failed_seed) << "300 seeds passed with a broker that loses calls";
    EXPECT_EQ(campaign.failure.rule, "rule 5: calls of a lost worker are resolved")
        << campaign.failure.text;
}

}  // namespace
}  // namespace farm::sim
