#include "cpu_client/core/follow_up_calls.h"

#include <gtest/gtest.h>

#include <vector>

namespace farm {
namespace {

FollowUpCalls after_answers(int count) {
    FollowUpCalls calls;
    calls.new_answers();
    for (int i = 0; i < count; ++i) calls.answered();
    return calls;
}

/// How many leave together, one message after the other, when `count` calls follow.
std::vector<std::size_t> messages(FollowUpCalls calls, int count) {
    std::vector<std::size_t> sizes;
    std::size_t gathered = 0;
    for (int i = 0; i < count; ++i) {
        if (calls.waits(1024, ++gathered)) continue;
        sizes.push_back(gathered);
        gathered = 0;
    }
    EXPECT_EQ(gathered, 0u) << "calls are left behind, and no more are expected";
    return sizes;
}

TEST(FollowUpCallsTest, CallThatFollowsNoAnswerLeavesAtOnce) {
    EXPECT_FALSE(FollowUpCalls().waits(1024, 1));
    EXPECT_FALSE(after_answers(1).waits(1024, 1));
}

TEST(FollowUpCallsTest, HalfOfThoseThatFollowLeaveTogether) {
    EXPECT_EQ(messages(after_answers(2), 2), (std::vector<std::size_t>{1, 1}));
    EXPECT_EQ(messages(after_answers(8), 8), (std::vector<std::size_t>{4, 4}));
    EXPECT_EQ(messages(after_answers(100), 32), (std::vector<std::size_t>{16, 16}));
    EXPECT_EQ(messages(after_answers(3), 5), (std::vector<std::size_t>{2, 1, 1, 1}));
}

TEST(FollowUpCallsTest, LargerCallTakesAlongWhatWaited) {
    FollowUpCalls calls = after_answers(8);
    EXPECT_TRUE(calls.waits(1024, 1));
    EXPECT_FALSE(calls.waits(limits::joined_bytes + 1, 2));
}

TEST(FollowUpCallsTest, AnswerAmongCallsLetsOneMoreBeExpected) {
    FollowUpCalls calls = after_answers(4);
    for (int i = 0; i < 3; ++i) calls.waits(1024, 1);
    calls.answered();  // five in all, and two calls are still expected
    EXPECT_TRUE(calls.waits(1024, 1));
    EXPECT_FALSE(calls.waits(1024, 1));
}

TEST(FollowUpCallsTest, NewAnswersEndTheExpectationsOfOldOnes) {
    FollowUpCalls calls = after_answers(8);
    calls.new_answers();
    calls.answered();
    EXPECT_FALSE(calls.waits(1024, 1));
}

}  // namespace
}  // namespace farm
