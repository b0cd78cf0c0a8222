#include "gpu_worker/core/window_split.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace farm {
namespace {

/// Sends every planned change and acknowledges it.
std::uint64_t settle(WindowSplit& split, std::size_t brokers, std::uint64_t sequence) {
    for (int round = 0; round < 4; ++round) {
        split.plan();
        for (std::size_t i = 0; i < brokers; ++i) {
            if (!split.changed(i)) continue;
            split.sent(i, ++sequence);
            split.acknowledge(i, sequence);
        }
    }
    return sequence;
}

TEST(WindowSplitTest, OneBrokerGetsEverything) {
    WindowSplit split(1, 8, 1);
    split.join(0);
    settle(split, 1, 0);
    EXPECT_EQ(split.window(0), 8U);
}

TEST(WindowSplitTest, IdleBrokersShareEqually) {
    WindowSplit split(3, 12, 1);
    for (int i = 0; i < 3; ++i) split.join(i);
    settle(split, 3, 0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(split.window(i), 4U);
}

TEST(WindowSplitTest, TheWindowFollowsDemandAndLeavesOneEach) {
    WindowSplit split(2, 8, 1);
    split.join(0);
    split.join(1);
    const auto sequence = settle(split, 2, 0);
    split.set_demand(1, 1000);
    settle(split, 2, sequence);
    EXPECT_EQ(split.window(0), 1U);
    EXPECT_EQ(split.window(1), 7U);
}

TEST(WindowSplitTest, NothingIsGivenBeforeTheOtherBrokerHasAcknowledged) {
    WindowSplit split(2, 8, 1);
    split.join(0);
    auto sequence = settle(split, 2, 0);
    split.join(1);
    split.plan();
    EXPECT_EQ(split.window(0), 4U);
    EXPECT_EQ(split.window(1), 1U) << "one call is the over-commitment that rule 14 allows";
    split.sent(0, ++sequence);
    split.sent(1, sequence);
    split.acknowledge(1, sequence);
    split.plan();
    EXPECT_FALSE(split.changed(1));
    split.acknowledge(0, sequence);
    split.plan();
    EXPECT_TRUE(split.changed(1));
    EXPECT_EQ(split.window(1), 4U);
}

TEST(WindowSplitTest, WhatIsOutstandingBindsCapacityAfterTheBrokerLeft) {
    WindowSplit split(2, 8, 1);
    split.join(0);
    split.join(1);
    auto sequence = settle(split, 2, 0);
    split.add_outstanding(1, 3);
    split.leave(1);
    sequence = settle(split, 2, sequence);
    EXPECT_EQ(split.window(0), 5U);
    split.remove_outstanding(1, 3);
    settle(split, 2, sequence);
    EXPECT_EQ(split.window(0), 8U);
}

TEST(WindowSplitTest, NoCapacityTakesEveryWindowBack) {
    WindowSplit split(2, 8, 1);
    split.join(0);
    split.join(1);
    const auto sequence = settle(split, 2, 0);
    split.set_capacity(0, 1);
    settle(split, 2, sequence);
    EXPECT_EQ(split.window(0), 0U);
    EXPECT_EQ(split.window(1), 0U);
}

TEST(WindowSplitTest, TheFirstWindowOfASessionIsSentEvenWhenItIsZero) {
    WindowSplit split(1, 0, 1);
    split.join(0);
    split.plan();
    EXPECT_TRUE(split.changed(0));
}

/// Brokers that use any window they were sent since the one they acknowledged, in messages that
/// arrive late: all together never have more outstanding than capacity + brokers - 1.
TEST(WindowSplitTest, BrokersThatUseWhatTheyHaveNeverPassTheBound) {
    struct Broker {
        bool joined{false};
        std::uint64_t sequence{0};  ///< of the window that it goes by
        std::uint64_t window{0};
        std::uint64_t outstanding{0};
        std::deque<std::pair<std::uint64_t, std::uint64_t>> arriving;
    };
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        std::mt19937 random(seed);
        const std::size_t count = 1 + random() % 5;
        const std::uint64_t capacity = 1 + random() % 20;
        const std::uint64_t floor = 1 + random() % (random() % 2 == 0 ? 1 : capacity);
        WindowSplit split(count, capacity, floor);
        std::vector<Broker> brokers(count);
        std::uint64_t sequence = 0;
        for (int round = 0; round < 400; ++round) {
            const std::size_t i = random() % count;
            Broker& broker = brokers[i];
            switch (random() % 8) {
                case 0:
                    if (!broker.joined && random() % 2 == 0) {
                        split.join(i);
                        const auto outstanding = broker.outstanding;
                        broker = Broker{};
                        broker.joined = true;
                        broker.outstanding = outstanding;
                    } else if (broker.joined && random() % 10 == 0) {
                        split.leave(i);
                        broker.joined = false;
                        broker.arriving.clear();
                        broker.window = 0;
                    }
                    break;
                case 1: split.set_demand(i, random() % 50); break;
                case 2:
                case 3:
                    split.plan();
                    ++sequence;
                    for (std::size_t j = 0; j < count; ++j) {
                        if (!brokers[j].joined || !split.changed(j)) continue;
                        brokers[j].arriving.emplace_back(sequence, split.window(j));
                        split.sent(j, sequence);
                        EXPECT_GE(split.window(j), std::min(floor, capacity)) << "seed " << seed;
                    }
                    break;
                case 4:
                    if (broker.joined && !broker.arriving.empty()) {
                        std::tie(broker.sequence, broker.window) = broker.arriving.front();
                        broker.arriving.pop_front();
                    }
                    break;
                case 5:
                    if (broker.joined) split.acknowledge(i, broker.sequence);
                    break;
                case 6:
                    while (broker.joined && broker.outstanding < broker.window) {
                        EXPECT_LT(split.outstanding(i), split.allowed(i)) << "seed " << seed;
                        ++broker.outstanding;
                        split.add_outstanding(i, 1);
                    }
                    break;
                case 7:
                    if (broker.outstanding > 0) {
                        --broker.outstanding;
                        split.remove_outstanding(i, 1);
                    }
                    break;
            }
            std::uint64_t outstanding = 0;
            for (const Broker& each : brokers) outstanding += each.outstanding;
            const std::uint64_t bound = capacity + (count - 1) * floor;
            ASSERT_LE(outstanding, bound) << "seed " << seed << " round " << round;
            ASSERT_LE(split.committed(), bound) << "seed " << seed << " round " << round;
        }
    }
}

}  // namespace
}  // namespace farm
