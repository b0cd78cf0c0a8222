#include "broker/core/cost_lines.h"

#include <gtest/gtest.h>

#include <random>

namespace farm {
namespace {

std::uint64_t cost_in_runs(const std::vector<CostPoint>& curve, std::uint32_t rows,
                           std::uint32_t full_rows) {
    std::uint64_t total = 0;
    for (; full_rows != 0 && rows > full_rows; rows -= full_rows) {
        total += cost_at(curve, full_rows, 5000);
    }
    return total + cost_at(curve, rows, 5000);
}

TEST(CostLinesTest, AreTheCurveForAnyRows) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<CostPoint> curve;
        std::uint32_t rows = 0;
        for (std::uint64_t points = random() % 6; points > 0; --points) {
            rows += static_cast<std::uint32_t>(1 + random() % 30);
            curve.push_back({rows, random() % 1'000'000'000});
        }
        const auto full_rows = static_cast<std::uint32_t>(random() % 3 * (1 + random() % 40));
        const CostLines lines(curve, full_rows, 5000);
        for (std::uint32_t asked = 1; asked < 300; ++asked) {
            const auto expected = static_cast<double>(cost_in_runs(curve, asked, full_rows));
            ASSERT_NEAR(lines(asked), expected, 1e-9 * expected + 10) << asked << " rows";
        }
    }
}

TEST(CostLinesTest, MoreRowsThanAFullRunAreSeveral) {
    const CostLines lines({{1, 100}, {8, 240}, {16, 4000}}, 8, 0);
    EXPECT_DOUBLE_EQ(lines(8), 240);
    EXPECT_DOUBLE_EQ(lines(16), 480);
    EXPECT_DOUBLE_EQ(lines(17), 240 + 240 + 100);
}

TEST(CostLinesTest, TheLargestNumbersAreNoTrouble) {
    const CostLines lines({{UINT32_MAX, UINT64_MAX}}, 0, 0);
    EXPECT_NEAR(lines(UINT32_MAX), 0x1p64, 0x1p40);
}

}  // namespace
}  // namespace farm
