#include "common/core/timer_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace farm {
namespace {

using namespace std::chrono_literals;

TEST(TimerHeapTest, GivesKeysInTheOrderOfTheirDeadlines) {
    TimerHeap<int> timers;
    EXPECT_FALSE(timers.next());
    timers.set(1, TimePoint{3s});
    timers.set(2, TimePoint{1s});
    timers.set(3, TimePoint{2s});
    timers.set(1, TimePoint{0s});
    timers.cancel(2);
    timers.cancel(9);
    EXPECT_EQ(timers.next(), TimePoint{0s});
    EXPECT_EQ(timers.pop_due(TimePoint{1s}), 1);
    EXPECT_FALSE(timers.pop_due(TimePoint{1s}));
    EXPECT_EQ(timers.pop_due(TimePoint{2s}), 3);
    EXPECT_TRUE(timers.empty());
}

TEST(TimerHeapTest, NextIsTheLeastThroughAnyHistory) {
    std::mt19937_64 random(1);
    TimerHeap<std::uint64_t> timers;
    std::map<std::uint64_t, TimePoint> oracle;
    for (int step = 0; step < 50'000; ++step) {
        const std::uint64_t key = random() % 200;
        if (random() % 3 == 0) {
            timers.cancel(key);
            oracle.erase(key);
        } else {
            timers.set(key, oracle[key] = TimePoint{Duration(random() % 1000)});
        }
        ASSERT_EQ(timers.size(), oracle.size());
        if (oracle.empty()) continue;
        TimePoint least = TimePoint::max();
        for (const auto& [each, when] : oracle) least = std::min(least, when);
        ASSERT_EQ(timers.next(), least);
        ASSERT_EQ(oracle.at(timers.next_key()), least);
    }
}

}  // namespace
}  // namespace farm
