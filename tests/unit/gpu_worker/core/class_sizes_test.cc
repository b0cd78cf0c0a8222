#include "gpu_worker/core/class_sizes.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t short_jets = 1;
constexpr std::uint64_t long_jets = 2;

/// Runs of a class in which `available` rows wait and each costs `per_row`, beside 1 ms a run.
void drive(ClassSizes& sizes, std::uint64_t shape_class, std::uint32_t available, Duration per_row,
           int runs) {
    for (int i = 0; i < runs; ++i) {
        const auto choice = sizes.choose(shape_class, 1, available);
        const std::uint32_t rows = std::min(choice.size.rows, available);
        sizes.observe(shape_class, 1, rows, 1ms + rows * per_row, choice, choice.size.is_trial);
    }
}

/// Large runs are all of the dear class: by one curve of both they would look slow.
TEST(ClassSizesTest, AClassIsJudgedByItsOwnRuns) {
    ClassSizes sizes(64);
    for (int round = 0; round < 200; ++round) {
        drive(sizes, short_jets, 2, 100us, 4);
        drive(sizes, long_jets, 16, 4ms, 1);
    }
    EXPECT_EQ(sizes.choose(short_jets, 1, 2).usual_rows, 64U);
    EXPECT_EQ(sizes.choose(long_jets, 1, 16).usual_rows, 8U) << "within 3 % of the best";
    EXPECT_EQ(sizes.all().rows(), 2U) << "what one curve for all would say";
    EXPECT_EQ(sizes.rows(), 64U);
}

TEST(ClassSizesTest, AClassOfWhichLittleIsKnownGoesByAll) {
    ClassSizes sizes(64);
    drive(sizes, long_jets, 16, 4ms, 500);
    ASSERT_EQ(sizes.all().rows(), 8U);
    EXPECT_EQ(sizes.choose(short_jets, 1, 16).size.rows, 8U);
}

TEST(ClassSizesTest, OnlyTheCurveOfAllLearnsFromRunsWhoseSizeNobodyChose) {
    ClassSizes sizes(1);
    for (int i = 0; i < 100; ++i) sizes.observe(short_jets, 1, 1, 2ms, {}, false);
    EXPECT_EQ(sizes.class_count(), 0U);
    EXPECT_EQ(sizes.all().expected(1), 2ms);
    EXPECT_EQ(sizes.rows(), 1U);
}

TEST(ClassSizesTest, ClassesThatRanLongestAgoAreForgotten) {
    ClassSizes sizes(64);
    for (std::uint64_t i = 0; i < 2 * ClassSizes::most_classes; ++i) {
        drive(sizes, i, 1, 1ms, 1);
        drive(sizes, long_jets, 16, 4ms, 20);
    }
    EXPECT_EQ(sizes.class_count(), ClassSizes::most_classes);
    EXPECT_EQ(sizes.choose(long_jets, 1, 16).usual_rows, 8U);
}

}  // namespace
}  // namespace farm
