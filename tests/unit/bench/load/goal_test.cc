#include "bench/load/goal.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

const GoalResult reached{{"a / b", Goal::Sense::at_least, 0.9}, Spread{0.95, 0.8, 1.1}};
const GoalResult missed{{"c / d", Goal::Sense::at_most, 0.5}, Spread{0.55, 0.4, 0.6}};
const GoalResult absent{{"e / f", Goal::Sense::at_least, 2}, {}};

TEST(GoalTest, TheMedianDecides) {
    EXPECT_TRUE(reached.met());
    EXPECT_FALSE(missed.met());
    EXPECT_FALSE(absent.met());
    EXPECT_TRUE((GoalResult{{"", Goal::Sense::at_most, 1}, Spread{1, 1, 1}}.met()));
    EXPECT_FALSE((GoalResult{{"", Goal::Sense::at_least, 1}, Spread{0.99, 0.9, 2}}.met()));
}

TEST(GoalTest, TableSaysWhatWasMissedAndWhatWasNotMeasured) {
    const std::string table = goal_table({reached, missed, absent});
    const auto line = [&](const std::string& what) {
        const auto begin = table.find(what);
        return table.substr(begin, table.find('\n', begin) - begin);
    };
    EXPECT_NE(line("a / b").find("0.95"), std::string::npos);
    EXPECT_TRUE(line("a / b").ends_with("met"));
    EXPECT_TRUE(line("c / d").ends_with("MISSED"));
    EXPECT_TRUE(line("e / f").ends_with("not measured"));
}

TEST(GoalTest, JsonHasNullsForWhatWasNotMeasured) {
    const auto list = nlohmann::json::parse(goal_json({missed, absent}));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0]["sense"], "<=");
    EXPECT_EQ(list[0]["ratio"], 0.55);
    EXPECT_EQ(list[0]["met"], false);
    EXPECT_TRUE(list[1]["ratio"].is_null());
    EXPECT_TRUE(list[1]["met"].is_null());
}

}  // namespace
}  // namespace farm::bench
