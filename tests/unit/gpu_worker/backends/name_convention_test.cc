#include "gpu_worker/backends/name_convention.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using Names = std::vector<std::string>;
using Positions = std::vector<std::size_t>;

TEST(NameConventionTest, ReadsTheNumberAtTheEnd) {
    EXPECT_EQ(index_suffix("pf_mask__2"), 2U);
    EXPECT_EQ(index_suffix("a__b__11"), 11U);
    EXPECT_EQ(index_suffix("nodes"), std::nullopt);
    EXPECT_EQ(index_suffix("nodes_2"), std::nullopt);
    EXPECT_EQ(index_suffix("nodes__"), std::nullopt);
    EXPECT_EQ(index_suffix("nodes__2b"), std::nullopt);
}

TEST(NameConventionTest, ArgumentNamesWin) {
    EXPECT_EQ(argument_positions(Names{"edge_index", "x"}, Names{"x", "edge_index"}),
              (Positions{1, 0}));
}

TEST(NameConventionTest, NumbersDecideWhenAllHaveOne) {
    EXPECT_EQ(argument_positions(Names{"b__1", "a__0"}, Names{"x", "y"}), (Positions{1, 0}));
}

TEST(NameConventionTest, OrderDecidesElse) {
    EXPECT_EQ(argument_positions(Names{"nodes", "edge_index"}, Names{"x", "edge_index"}),
              (Positions{0, 1}));
    EXPECT_EQ(argument_positions(Names{"a__1", "b"}, Names{"x", "y"}), (Positions{0, 1}));
}

TEST(NameConventionTest, NumberBeyondTheArgumentsIsAnError) {
    const auto positions = argument_positions(Names{"a__0", "b__2"}, Names{"x", "y"});
    ASSERT_FALSE(positions);
    EXPECT_EQ(positions.error().message,
              "input 'b__2' would be argument 2 (forward takes 2, counted from 0): correct "
              "config.pbtxt");
}

TEST(NameConventionTest, TwoInputsForOneArgumentAreAnError) {
    const auto positions = argument_positions(Names{"a__0", "b__0"}, Names{"x", "y"});
    ASSERT_FALSE(positions);
    EXPECT_EQ(positions.error().message,
              "inputs 'a__0' and 'b__0' are both argument 0 (each has its own): rename one");
}

TEST(NameConventionTest, ResultsByNumberOrOrder) {
    EXPECT_EQ(result_positions(Names{"b__1", "a__0"}), (Positions{1, 0}));
    EXPECT_EQ(result_positions(Names{"labels", "scores"}), (Positions{0, 1}));
}

}  // namespace
}  // namespace farm
