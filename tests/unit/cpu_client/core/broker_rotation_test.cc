#include "cpu_client/core/broker_rotation.h"

#include <gtest/gtest.h>

#include <set>

namespace farm {
namespace {

using namespace std::chrono_literals;

TEST(BrokerRotationTest, SeedsSpreadOverTheBrokers) {
    std::set<std::uint16_t> first;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        first.insert(BrokerRotation(3, BackOff{}, seed).address());
    }
    EXPECT_EQ(first.size(), 3U);
}

TEST(BrokerRotationTest, PausesOnlyAfterAWholeRound) {
    BrokerRotation rotation(3, BackOff{}, 1);
    std::set<std::uint16_t> tried{rotation.address()};
    EXPECT_EQ(rotation.failed(), 0ns);
    tried.insert(rotation.address());
    EXPECT_EQ(rotation.failed(), 0ns);
    tried.insert(rotation.address());
    EXPECT_GT(rotation.failed(), 0ns);
    EXPECT_EQ(tried.size(), 3U);
}

TEST(BrokerRotationTest, PauseDoublesUpToTheLongestAndStartsAgainAfterSuccess) {
    BrokerRotation rotation(1, BackOff{}, 1);
    for (int round = 0; round < 40; ++round) {
        const auto longest = std::min<Duration>(50ms * (1LL << std::min(round, 20)), 2000ms);
        const Duration pause = rotation.failed();
        EXPECT_GE(pause, longest / 2) << "round " << round;
        EXPECT_LE(pause, longest) << "round " << round;
    }
    rotation.reached();
    EXPECT_LE(rotation.failed(), 50ms);
}

TEST(BrokerRotationTest, BrokenSessionStaysWithItsBroker) {
    BrokerRotation rotation(3, BackOff{}, 5);
    const std::uint16_t address = rotation.address();
    EXPECT_LE(rotation.broke(), 50ms);
    EXPECT_EQ(rotation.address(), address);
}

TEST(BrokerRotationTest, SessionsThatBreakAtOnceAreTriedLessAndLessOften) {
    BrokerRotation rotation(3, BackOff{}, 5);
    for (int i = 0; i < 3; ++i) rotation.broke();
    EXPECT_GE(rotation.broke(), 200ms);
    for (int i = 0; i < 40; ++i) EXPECT_LE(rotation.broke(), 2000ms);
    rotation.reached();
    EXPECT_LE(rotation.broke(), 50ms);
}

}  // namespace
}  // namespace farm
