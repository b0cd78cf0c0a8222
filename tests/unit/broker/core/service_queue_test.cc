#include "broker/core/service_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "broker/core/rate_estimate.h"
#include "broker/core/scheduling_policy.h"
#include "broker/core/session.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

QueuedCall waiting(std::uint64_t number, std::uint8_t priority = 100, Duration deadline = 10s,
                   Duration cost = 1ms) {
    QueuedCall call;
    call.id = CallId::from_words(1, number);
    call.priority = priority;
    call.deadline = TimePoint{deadline};
    call.cost = cost;
    call.size_bytes = 10;
    return call;
}

std::vector<CallId> served(ServiceQueue& queue, std::size_t count) {
    std::vector<CallId> ids;
    for (std::size_t i = 0; i < count; ++i) {
        ids.push_back(queue.head()->id);
        queue.pop_head();
    }
    return ids;
}

TEST(ServiceQueueTest, SmallerPriorityIsServedFirst) {
    ServiceQueue queue;
    queue.push(waiting(1, 100, 1s), "a");
    queue.push(waiting(2, 50, 9s), "a");
    queue.push(waiting(3, 200, 1s), "a");
    EXPECT_EQ(served(queue, 3), (std::vector{waiting(2).id, waiting(1).id, waiting(3).id}));
}

TEST(ServiceQueueTest, EarlierDeadlineIsServedFirstWithinATenant) {
    ServiceQueue queue;
    queue.push(waiting(1, 100, 9s), "a");
    queue.push(waiting(2, 100, 1s), "a");
    EXPECT_EQ(queue.head()->id, waiting(2).id);
}

TEST(ServiceQueueTest, HeadStaysUntilTheQueueChanges) {
    ServiceQueue queue;
    for (std::uint64_t i = 0; i < 6; ++i) queue.push(waiting(i), i % 2 == 0 ? "a" : "b");
    const CallId head = queue.head()->id;
    EXPECT_EQ(queue.head()->id, head);
    EXPECT_EQ(queue.head()->id, head);
}

TEST(ServiceQueueTest, TenantsShareDeviceTimeAndNotCalls) {
    ServiceQueue queue;
    // 100 ms calls of one tenant against 10 ms calls of another: ten to one.
    for (std::uint64_t i = 0; i < 50; ++i) queue.push(waiting(i, 100, 10s, 100ms), "slow");
    for (std::uint64_t i = 100; i < 600; ++i) queue.push(waiting(i, 100, 10s, 10ms), "quick");
    int slow = 0;
    for (const CallId& id : served(queue, 220)) slow += id < waiting(100).id ? 1 : 0;
    EXPECT_NEAR(slow, 20, 2);
}

TEST(ServiceQueueTest, RemoveGivesBackBytesAndCost) {
    ServiceQueue queue;
    queue.push(waiting(1), "a");
    queue.push(waiting(2), "b");
    EXPECT_TRUE(queue.remove(waiting(1).id));
    EXPECT_FALSE(queue.remove(waiting(1).id));
    EXPECT_EQ(queue.size_bytes(), 10U);
    EXPECT_EQ(queue.total_cost(), Duration{1ms});
    EXPECT_EQ(queue.head()->id, waiting(2).id);
    queue.pop_head();
    EXPECT_EQ(queue.head(), nullptr);
    EXPECT_EQ(queue.size_bytes(), 0U);
}

TEST(ServiceQueueTest, ATenantThatComesAgainHasNoClaimFromBefore) {
    ServiceQueue queue;
    queue.push(waiting(1, 100, 10s, 25ms), "a");
    queue.push(waiting(2, 100, 10s, 1ms), "b");
    queue.head();  // rounds are granted until one can afford its head
    queue.remove(waiting(1).id);
    queue.push(waiting(3, 100, 10s, 25ms), "a");
    EXPECT_EQ(served(queue, 2), (std::vector{waiting(2).id, waiting(3).id}));
}

TEST(SchedulingPolicyNameTest, UnknownNameSaysWhatThereIs) {
    const auto policy = make_scheduling_policy("best", 1);
    ASSERT_FALSE(policy);
    EXPECT_NE(policy.error().message.find("least_finish"), std::string::npos);
}

TEST(RateEstimateTest, MeasurementsScaleTheAdvertisedCurve) {
    RateEstimate rate({{1, 1'000'000}, {10, 10'000'000}});
    EXPECT_EQ(rate.expected(5), Duration{5ms});
    for (int i = 0; i < 200; ++i) rate.observe(10, 20'000'000);
    EXPECT_NEAR(static_cast<double>(rate.expected(5).count()), 10e6, 1e3);
}

TEST(RateEstimateTest, ASlowFirstRunIsSoonOutweighed) {
    RateEstimate rate;
    rate.observe(1, 100'000'000);
    for (int i = 0; i < 10; ++i) rate.observe(1, 10'000'000);
    EXPECT_LE(rate.expected(1), Duration{20ms});
}

TEST(RateEstimateTest, FirstRunMakesACurveWhereThereIsNone) {
    RateEstimate rate;
    EXPECT_EQ(rate.expected(1).count(), static_cast<std::int64_t>(RateEstimate::unknown_run_ns));
    rate.observe(4, 8'000'000);
    EXPECT_EQ(rate.expected(4), Duration{8ms});
}

TEST(RateEstimateTest, RowsBeyondTheKneeAreSeveralRuns) {
    const std::vector<CostPoint> curve{{1, 1'000'000}, {8, 2'000'000}, {16, 40'000'000}};
    EXPECT_EQ(RateEstimate(curve, BatchRule::rows).expected(20), Duration{2ms + 2ms + 1'428'571ns});
    EXPECT_EQ(RateEstimate(curve, BatchRule::graph).expected(20), Duration{50ms});
}

TEST(RateEstimateTest, AnotherCurveHoldsAsItIsAndIsNotUpsetByOneRun) {
    RateEstimate rate({{1, 1'000'000}});
    for (int i = 0; i < 100; ++i) rate.observe(1, 5'000'000);
    rate.take_curve({{1, 4'000'000}});
    EXPECT_EQ(rate.expected(1), Duration{4ms});
    rate.observe(1, 40'000'000);
    EXPECT_LE(rate.expected(1), Duration{8ms});
}

TEST(SessionTableTest, SessionIsFoundByNumberLinkAndPeerUntilItLeaves) {
    SessionTable table;
    const PeerId peer = PeerId::from_words(1, 2);
    Session& session = table.add(LinkId{3}, peer);
    EXPECT_EQ(table.find(session.id), &session);
    EXPECT_EQ(table.by_link(LinkId{3}), &session);
    EXPECT_EQ(table.by_peer(peer), &session);
    table.attach(session, LinkId{4});
    EXPECT_EQ(table.by_link(LinkId{3}), nullptr);
    EXPECT_EQ(table.by_link(LinkId{4}), &session);
    table.remove(session.id);
    EXPECT_EQ(table.by_link(LinkId{4}), nullptr);
    EXPECT_EQ(table.by_peer(peer), nullptr);
}

}  // namespace
}  // namespace farm
