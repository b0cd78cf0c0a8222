#include "bench/peers/echo_goals.h"

#include <gtest/gtest.h>

namespace farm::bench {
namespace {

constexpr std::size_t mb = 1 << 20;

Row row(const std::string& path, std::size_t bytes, int outstanding, double rate) {
    return {path, {bytes, outstanding}, {{10, rate, 1e6 / rate, 2e6 / rate}}};
}

const GoalResult* find(const std::vector<GoalResult>& goals, const std::string& what) {
    for (const GoalResult& goal : goals) {
        if (goal.goal.what == what) return &goal;
    }
    return nullptr;
}

TEST(EchoGoalsTest, ComparesUnderTheSameLoad) {
    const auto goals = echo_goals({row("routed", 1024, 8, 95), row("zmq_proxy", 1024, 8, 100),
                                   row("zmq_proxy", 1024, 64, 1), row("triton", 1024, 8, 50)});
    const auto* proxy = find(goals, "routed / zmq_proxy, 1 KB, 8 open: calls/s");
    ASSERT_NE(proxy, nullptr);
    ASSERT_TRUE(proxy->ratio);
    EXPECT_DOUBLE_EQ(proxy->ratio->median, 0.95);
    EXPECT_TRUE(proxy->met());
    const auto* triton = find(goals, "routed / triton, 1 KB, 8 open: calls/s");
    ASSERT_NE(triton, nullptr);
    EXPECT_DOUBLE_EQ(triton->ratio->median, 1.9);
    const auto* at_64 = find(goals, "routed / zmq_proxy, 1 KB, 64 open: calls/s");
    ASSERT_NE(at_64, nullptr);
    EXPECT_FALSE(at_64->ratio) << "routed was not measured with 64 open";
}

TEST(EchoGoalsTest, LatencyIsToBeAtMost) {
    const auto goals = echo_goals({row("routed", 1024, 1, 100), row("zmq_proxy", 1024, 1, 120)});
    const auto* p50 = find(goals, "routed / zmq_proxy, 1 KB, 1 open: p50");
    ASSERT_NE(p50, nullptr);
    EXPECT_EQ(p50->goal.sense, Goal::Sense::at_most);
    EXPECT_DOUBLE_EQ(p50->ratio->median, 1.2);
    EXPECT_FALSE(p50->met());
}

TEST(EchoGoalsTest, OfTwoPeersTheFasterCounts) {
    const auto goals = echo_goals({row("direct", 16 * mb, 8, 100), row("zmq", 16 * mb, 8, 80),
                                   row("zmq_chunked", 16 * mb, 8, 125)});
    const auto* goal = find(goals, "direct / zmq_chunked, 16 MB, 8 open: calls/s");
    ASSERT_NE(goal, nullptr);
    EXPECT_DOUBLE_EQ(goal->ratio->median, 0.8);
}

}  // namespace
}  // namespace farm::bench
