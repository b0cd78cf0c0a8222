#include "gpu_worker/core/batcher.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace farm {
namespace {

using namespace std::chrono_literals;

const TimePoint start{1h};

CallKey key(std::uint64_t number) { return {CallId::from_words(1, number), 1}; }

WaitingCall waiting(std::uint64_t number, std::uint32_t rows = 1, TimePoint arrived = start) {
    WaitingCall call;
    call.key = key(number);
    call.rows = rows;
    call.bytes = rows * 10;
    call.deadline = start + 1min;
    call.arrived = arrived;
    return call;
}

BatchLimits rows_up_to(std::uint32_t max_rows) {
    BatchLimits limits;
    limits.rule = BatchRule::rows;
    limits.max_rows = max_rows;
    return limits;
}

using Keys = std::vector<CallKey>;

TEST(BatcherTest, RuleNoneTakesOneCallPerRun) {
    Batcher batcher(BatchLimits{});
    batcher.add(waiting(1));
    batcher.add(waiting(2));
    EXPECT_EQ(batcher.take(start), Keys{key(1)});
    EXPECT_EQ(batcher.take(start), Keys{key(2)});
    EXPECT_TRUE(batcher.take(start).empty());
    EXPECT_FALSE(batcher.ready_at());
}

TEST(BatcherTest, WhateverWaitsIsTakenUpToTheRowLimit) {
    Batcher batcher(rows_up_to(4));
    for (int i = 1; i <= 5; ++i) batcher.add(waiting(i));
    EXPECT_EQ(batcher.take(start), (Keys{key(1), key(2), key(3), key(4)}));
    EXPECT_EQ(batcher.take(start), Keys{key(5)});
}

TEST(BatcherTest, ARunStopsBeforeACallThatDoesNotFit) {
    Batcher batcher(rows_up_to(4));
    batcher.add(waiting(1, 3));
    batcher.add(waiting(2, 2));
    batcher.add(waiting(3, 1));
    EXPECT_EQ(batcher.take(start), Keys{key(1)});
    EXPECT_EQ(batcher.take(start), (Keys{key(2), key(3)}));
}

TEST(BatcherTest, ASmallerSizeEndsARunEarlierAndALargerCallRunsAlone) {
    Batcher batcher(rows_up_to(8));
    for (int i = 1; i <= 4; ++i) batcher.add(waiting(i));
    batcher.add(waiting(5, 7));
    EXPECT_EQ(batcher.first_company()->waiting_rows, 11U);
    EXPECT_EQ(batcher.take(start, 3), (Keys{key(1), key(2), key(3)}));
    EXPECT_EQ(batcher.take(start, 3), Keys{key(4)});
    EXPECT_EQ(batcher.take(start, 3), Keys{key(5)});
    EXPECT_FALSE(batcher.first_company());
}

TEST(BatcherTest, OnlyItsOwnClassIsCompanyForTheFirstCall) {
    Batcher batcher(rows_up_to(8));
    WaitingCall other = waiting(2, 5);
    other.shape_class = 9;
    batcher.add(waiting(1, 2));
    batcher.add(other);
    batcher.add(waiting(3, 1));
    EXPECT_EQ(batcher.first_company()->waiting_rows, 3U);
    EXPECT_EQ(batcher.take(start), (Keys{key(1), key(3)}));
    EXPECT_EQ(batcher.first_company()->shape_class, 9U);
    EXPECT_EQ(batcher.first_company()->waiting_rows, 5U);
}

TEST(BatcherTest, ALargerSizeDoesNotPassTheLimit) {
    Batcher batcher(rows_up_to(2));
    for (int i = 1; i <= 3; ++i) batcher.add(waiting(i));
    EXPECT_EQ(batcher.take(start, 100), (Keys{key(1), key(2)}));
}

TEST(BatcherTest, ASizeBelowThePreferredOneNeedsNoCompany) {
    BatchLimits limits = rows_up_to(8);
    limits.preferred_rows = {8};
    limits.max_queue_delay = 10ms;
    Batcher batcher(limits);
    for (int i = 1; i <= 3; ++i) batcher.add(waiting(i));
    EXPECT_TRUE(batcher.take(start).empty());
    EXPECT_EQ(batcher.take(start, 2), (Keys{key(1), key(2)}));
    EXPECT_TRUE(batcher.take(start, 2).empty());
}

TEST(BatcherTest, TheByteLimitEndsARun) {
    BatchLimits limits = rows_up_to(100);
    limits.max_bytes = 25;
    Batcher batcher(limits);
    for (int i = 1; i <= 3; ++i) batcher.add(waiting(i));
    EXPECT_EQ(batcher.take(start).size(), 2U);
}

TEST(BatcherTest, ACallBeyondTheByteLimitStillRunsAlone) {
    BatchLimits limits = rows_up_to(100);
    limits.max_bytes = 5;
    Batcher batcher(limits);
    batcher.add(waiting(1));
    EXPECT_EQ(batcher.take(start), Keys{key(1)});
}

TEST(BatcherTest, OnlyEqualShapesShareARun) {
    Batcher batcher(rows_up_to(8));
    for (int i = 1; i <= 4; ++i) {
        WaitingCall call = waiting(i);
        call.shape_class = i % 2;
        batcher.add(call);
    }
    EXPECT_EQ(batcher.take(start), (Keys{key(1), key(3)}));
    EXPECT_EQ(batcher.take(start), (Keys{key(2), key(4)}));
}

TEST(BatcherTest, PriorityGoesBeforeDeadlineAndDeadlineBeforeArrival) {
    Batcher batcher(BatchLimits{});
    WaitingCall late = waiting(1);
    WaitingCall soon = waiting(2, 1, start + 1ms);
    soon.deadline = start + 1s;
    WaitingCall urgent = waiting(3, 1, start + 2ms);
    urgent.priority = 1;
    for (const auto& call : {late, soon, urgent}) batcher.add(call);
    EXPECT_EQ(batcher.keys(), (Keys{key(3), key(2), key(1)}));
}

TEST(BatcherTest, ASuspectRunsAloneAndDoesNotJoinOthers) {
    Batcher batcher(rows_up_to(8));
    WaitingCall suspect = waiting(2);
    suspect.suspect = true;
    batcher.add(waiting(1));
    batcher.add(suspect);
    batcher.add(waiting(3));
    EXPECT_EQ(batcher.take(start), (Keys{key(1), key(3)}));
    EXPECT_EQ(batcher.take(start), Keys{key(2)});
}

TEST(BatcherTest, TheLargestReachablePreferredSizeIsTaken) {
    BatchLimits limits = rows_up_to(16);
    limits.preferred_rows = {2, 4, 8};
    Batcher batcher(limits);
    for (int i = 1; i <= 7; ++i) batcher.add(waiting(i));
    EXPECT_EQ(batcher.take(start).size(), 4U);
    EXPECT_EQ(batcher.take(start).size(), 2U);
    EXPECT_EQ(batcher.take(start).size(), 1U) << "without a delay nothing waits for company";
}

TEST(BatcherTest, ADelayWaitsForCompanyFromTheOldestCallOn) {
    BatchLimits limits = rows_up_to(8);
    limits.preferred_rows = {4};
    limits.max_queue_delay = 5ms;
    Batcher batcher(limits);
    batcher.add(waiting(1));
    batcher.add(waiting(2, 1, start + 3ms));
    EXPECT_TRUE(batcher.take(start + 4ms).empty());
    EXPECT_EQ(batcher.ready_at(), start + 5ms);
    EXPECT_EQ(batcher.take(start + 5ms), (Keys{key(1), key(2)}));
}

TEST(BatcherTest, ADelayEndsWhenAPreferredSizeIsReached) {
    BatchLimits limits = rows_up_to(8);
    limits.preferred_rows = {2};
    limits.max_queue_delay = 5ms;
    Batcher batcher(limits);
    batcher.add(waiting(1));
    EXPECT_TRUE(batcher.take(start).empty());
    batcher.add(waiting(2));
    EXPECT_EQ(batcher.take(start).size(), 2U);
}

TEST(BatcherTest, AWaitingShapeDoesNotHoldUpOneThatIsReady) {
    BatchLimits limits = rows_up_to(2);
    limits.max_queue_delay = 5ms;
    Batcher batcher(limits);
    batcher.add(waiting(1));
    for (int i = 2; i <= 3; ++i) {
        WaitingCall call = waiting(i);
        call.shape_class = 7;
        batcher.add(call);
    }
    EXPECT_EQ(batcher.take(start), (Keys{key(2), key(3)}));
}

/// Whatever is put in comes out once, within the limits, and is there at the time it was promised.
TEST(BatcherTest, EveryCallComesOutOnceAndInTime) {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        BatchLimits limits = rows_up_to(1 + random() % 8);
        limits.max_bytes = random() % 3 == 0 ? 40 : 0;
        if (random() % 2 == 0) limits.preferred_rows = {2, 4};
        limits.max_queue_delay = (random() % 3) * 1ms;
        Batcher batcher(limits);
        std::map<CallKey, WaitingCall> inside;
        TimePoint now = start;
        for (std::uint64_t i = 1; i <= 60; ++i) {
            WaitingCall call = waiting(i, 1 + random() % limits.max_rows, now);
            call.shape_class = random() % 3;
            call.priority = static_cast<std::uint8_t>(random() % 2);
            call.suspect = random() % 10 == 0;
            inside[call.key] = call;
            batcher.add(call);
            if (random() % 2 == 0) continue;
            now += (random() % 1000) * 1us;
            for (auto run = batcher.take(now); !run.empty(); run = batcher.take(now)) {
                std::uint32_t rows = 0;
                for (const CallKey& k : run) {
                    const WaitingCall& taken = inside.at(k);
                    rows += taken.rows;
                    EXPECT_EQ(taken.shape_class, inside.at(run.front()).shape_class);
                    EXPECT_TRUE(!taken.suspect || run.size() == 1);
                }
                EXPECT_LE(rows, limits.max_rows) << "seed " << seed;
                for (const CallKey& k : run) EXPECT_EQ(inside.erase(k), 1U) << "seed " << seed;
            }
            if (const auto ready = batcher.ready_at()) {
                EXPECT_GT(*ready, now) << "seed " << seed;
            }
        }
        while (const auto ready = batcher.ready_at()) {
            const auto run = batcher.take(*ready);
            ASSERT_FALSE(run.empty()) << "seed " << seed;
            for (const CallKey& k : run) EXPECT_EQ(inside.erase(k), 1U) << "seed " << seed;
        }
        EXPECT_TRUE(inside.empty()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace farm
