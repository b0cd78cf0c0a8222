#include "gpu_worker/core/batch_sizes.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;

const TimePoint start{1h};

TEST(CompanyTest, IsTheMeanNumberOfRunsWhileARunLasts) {
    Company company;
    const auto first = company.mark(start);
    company.begin(start);
    const auto second = company.mark(start + 10ms);
    company.begin(start + 10ms);
    EXPECT_EQ(company.count(), 2U);
    EXPECT_EQ(company.since(first, start + 12ms), 1U);   // 10 of 12 ms alone
    EXPECT_EQ(company.since(first, start + 100ms), 2U);  // 10 of 100 ms alone
    company.end(start + 100ms);
    EXPECT_EQ(company.since(second, start + 110ms), 2U);
    EXPECT_EQ(company.since(second, start + 1s), 1U);
}

TEST(CompanyTest, ARunOfNoTimeHasTheCompanyThatIsThere) {
    Company company;
    const auto mark = company.mark(start);
    EXPECT_EQ(company.since(mark, start), 1U);
}

/// 64 rows always wait; a run takes `slow` ms per row above 8 rows, and 1 ms below.
void drive(BatchSizes& sizes, std::uint32_t company, Duration slow, int runs) {
    for (int i = 0; i < runs; ++i) {
        const auto choice = sizes.choose(company, 64);
        const std::uint32_t rows = std::min(choice.size.rows, 64U);
        sizes.observe(company, rows, 1ms + rows * (rows > 8 ? slow : Duration{1ms}), choice,
                      choice.size.is_trial);
    }
}

TEST(BatchSizesTest, EachCompanyHasItsOwnKnee) {
    BatchSizes sizes(64);
    drive(sizes, 1, 5ms, 200);
    EXPECT_EQ(sizes.rows(), 8U);
    EXPECT_EQ(sizes.choose(2, 64).usual_rows, 8U);  // nothing better is known there
    drive(sizes, 2, 1ms, 2000);
    EXPECT_EQ(sizes.choose(2, 64).usual_rows, 32U);
    EXPECT_EQ(sizes.choose(1, 64).usual_rows, 8U);
    EXPECT_EQ(sizes.rows(), 32U);  // of the company that took more time
}

TEST(BatchSizesTest, ARunWhoseCompanyChangedTeachesNothing) {
    BatchSizes sizes(64);
    for (int i = 0; i < 100; ++i) {
        sizes.observe(2, 64, 1s, sizes.choose(1, 64), false);
    }
    EXPECT_TRUE(sizes.points().empty());
    EXPECT_EQ(sizes.rows(), 64U);
}

TEST(BatchSizesTest, WhatWasAdvertisedHoldsUntilItIsMeasured) {
    BatchSizes sizes(64, {{1, 7'000'000}});
    EXPECT_EQ(sizes.expected(1), Duration{7ms});
    sizes.observe(1, 1, 3ms, sizes.choose(1, 1), false);
    EXPECT_EQ(sizes.expected(1), Duration{3ms});
}

}  // namespace
}  // namespace farm
