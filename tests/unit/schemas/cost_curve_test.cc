#include "schemas/cost_curve.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using Curve = std::vector<CostPoint>;

TEST(CostCurveTest, TheKneeIsTheSmallestSizeNearTheBest) {
    EXPECT_EQ(knee_rows(Curve{}), 0U);
    EXPECT_EQ(knee_rows(Curve{{4, 100}}), 4U);
    EXPECT_EQ(knee_rows(Curve{{1, 100}, {2, 200}, {4, 400}}), 1U);    // no gain
    EXPECT_EQ(knee_rows(Curve{{1, 100}, {2, 101}, {4, 102}}), 4U);    // all gain
    EXPECT_EQ(knee_rows(Curve{{1, 100}, {8, 200}, {16, 395}}), 8U);   // hardly any
    EXPECT_EQ(knee_rows(Curve{{1, 100}, {8, 200}, {16, 380}}), 16U);  // some
    EXPECT_EQ(knee_rows(Curve{{1, 100}, {8, 200}, {16, 4000}}), 8U);  // a cliff
}

TEST(CostCurveTest, AFullRunIsTheKneeOnlyWhereMoreProvedNoBetter) {
    const Curve rising{{1, 100}, {2, 101}};
    EXPECT_EQ(full_run_rows(rising, 64), 64U);
    EXPECT_EQ(full_run_rows(rising, 0), 0U);
    EXPECT_EQ(full_run_rows({}, 64), 64U);
    const Curve cliff{{1, 100}, {8, 200}, {16, 4000}};
    EXPECT_EQ(full_run_rows(cliff, 64), 8U);
    EXPECT_EQ(full_run_rows(cliff, 0), 8U);
    EXPECT_EQ(full_run_rows(cliff, 5), 5U);
}

}  // namespace
}  // namespace farm
