#include "cpu_client/core/retry_budget.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint start{1000s};

TEST(RetryBudgetTest, EmptyBucketRefillsTenPerSecond) {
    RetryBudget budget;
    while (budget.reserve(start, start)) {
    }
    EXPECT_LT(budget.tokens(), 1.0);
    EXPECT_FALSE(budget.reserve(start + 50ms, start + 50ms));
    int allowed = 0;
    while (budget.reserve(start + 1s, start + 1s)) ++allowed;
    EXPECT_EQ(allowed, 10);
}

TEST(RetryBudgetTest, EmptyBucketTellsWhenAndRefusesBeyondTheDeadline) {
    RetryBudget budget;
    while (budget.reserve(start, start)) {
    }
    EXPECT_EQ(budget.reserve(start, start + 1s), start + 100ms);
    EXPECT_EQ(budget.reserve(start, start + 1s), start + 200ms);
    EXPECT_FALSE(budget.reserve(start, start + 250ms));
}

TEST(RetryBudgetTest, FiveCallsPayForOneRetryUpToALimit) {
    RetryBudget budget;
    const double before = budget.tokens();
    for (int i = 0; i < 5; ++i) budget.call_submitted();
    EXPECT_DOUBLE_EQ(budget.tokens(), before + 1);
    for (int i = 0; i < 100'000; ++i) budget.call_submitted();
    EXPECT_DOUBLE_EQ(budget.tokens(), RetryBudget::largest_tokens);
}

}  // namespace
}  // namespace farm
