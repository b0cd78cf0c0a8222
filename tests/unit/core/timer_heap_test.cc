#include "common/core/timer_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

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

TEST(TimerHeapTest, TiesGoByWhatElseTheDeadlineSays) {
    TimerHeap<int, std::pair<TimePoint, int>> timers;
    for (const int key : {3, 1, 2}) timers.set(key, {TimePoint{1s}, key});
    const std::pair now{TimePoint{1s}, 9};
    EXPECT_EQ(timers.pop_due(now), 1);
    EXPECT_EQ(timers.pop_due(now), 2);
    EXPECT_EQ(timers.pop_due(now), 3);
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
