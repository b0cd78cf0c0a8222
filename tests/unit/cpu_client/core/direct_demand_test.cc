#include "cpu_client/core/direct_demand.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;

struct DemandBench {
    explicit DemandBench(DirectUse use = DirectUse::automatic) : demand(use) {}

    void submit(int count, std::uint64_t bytes = 100, bool idempotent = true) {
        for (int i = 0; i < count; ++i) {
            Submit call;
            call.service = "gnn";
            call.input_bytes = bytes;
            call.idempotent = idempotent;
            demand.submitted(call, now);
        }
    }
    void finish(int count) {
        for (int i = 0; i < count; ++i) demand.finished("gnn");
    }
    std::vector<Resolve> due() { return demand.due(now); }
    void lease(std::uint32_t count) { demand.leased("gnn", count, now + 10s, now); }

    DirectDemand demand;
    TimePoint now{1h};
};

TEST(DirectDemandTest, FewSmallCallsAskForNothing) {
    DemandBench bench;
    bench.submit(DirectDemand::often_calls - 1);
    EXPECT_TRUE(bench.due().empty());
}

TEST(DirectDemandTest, ManyCallsInASecondAskOnce) {
    DemandBench bench;
    bench.submit(DirectDemand::often_calls);
    const auto asks = bench.due();
    ASSERT_EQ(asks.size(), 1U);
    EXPECT_EQ(asks[0].service, "gnn");
    EXPECT_EQ(asks[0].request_count, DirectDemand::often_calls);
    EXPECT_EQ(asks[0].bytes_per_call, 64U * 1024);
    bench.submit(5);
    EXPECT_TRUE(bench.due().empty()) << "the answer is on its way";
}

TEST(DirectDemandTest, TheSameNumberOverManySecondsAsksForNothing) {
    DemandBench bench;
    for (int i = 0; i < 100; ++i) {
        bench.submit(2);
        bench.finish(2);
        EXPECT_TRUE(bench.due().empty());
        bench.now += 500ms;
    }
}

TEST(DirectDemandTest, MuchDataAsks) {
    DemandBench bench;
    bench.submit(2, DirectDemand::much_bytes / 2);
    EXPECT_EQ(bench.due().size(), 1U);
}

TEST(DirectDemandTest, CallsThatMustNotRunTwiceStayRouted) {
    DemandBench bench(DirectUse::always);
    bench.submit(100, 1000, false);
    EXPECT_TRUE(bench.due().empty());
}

TEST(DirectDemandTest, AlwaysAsksWithTheFirstCallAndNeverDoesNot) {
    DemandBench always(DirectUse::always);
    always.submit(1);
    EXPECT_EQ(always.due().size(), 1U);
    DemandBench never(DirectUse::never);
    never.submit(1000, 1 << 20);
    EXPECT_TRUE(never.due().empty());
}

TEST(DirectDemandTest, AnUnansweredAskIsRepeated) {
    DemandBench bench(DirectUse::always);
    bench.submit(1);
    ASSERT_EQ(bench.due().size(), 1U);
    bench.now += 5s;
    EXPECT_EQ(bench.demand.next_look(), bench.now);
    bench.submit(1);
    EXPECT_EQ(bench.due().size(), 1U);
}

TEST(DirectDemandTest, ARefusedAskIsRepeatedLessAndLessOften) {
    DemandBench bench(DirectUse::always);
    std::vector<Duration> pauses;
    for (int i = 0; i < 4; ++i) {
        bench.submit(1);
        ASSERT_EQ(bench.due().size(), 1U);
        bench.lease(0);
        const TimePoint refused = bench.now;
        for (bool again = false; !again;) {
            bench.now += 100ms;
            bench.submit(1);
            bench.finish(1);
            again = !bench.due().empty();
        }
        pauses.push_back(bench.now - refused);
        bench.lease(0);
        bench.now += 31s;
    }
    EXPECT_GE(pauses[0], 1s);
    EXPECT_GE(pauses[1], 2 * pauses[0]);
}

TEST(DirectDemandTest, AUsedLeaseIsRenewedBeforeItEnds) {
    DemandBench bench(DirectUse::always);
    bench.submit(1);
    ASSERT_EQ(bench.due().size(), 1U);
    bench.lease(1);
    bench.finish(1);
    bench.submit(1);
    EXPECT_TRUE(bench.due().empty());
    bench.now = *bench.demand.next_look();
    bench.submit(1);
    bench.finish(1);
    EXPECT_EQ(bench.due().size(), 1U);
}

TEST(DirectDemandTest, AnUnusedLeaseRunsOutWithoutALookInVain) {
    DemandBench bench(DirectUse::always);
    bench.submit(1);
    ASSERT_EQ(bench.due().size(), 1U);
    bench.lease(1);
    bench.finish(1);
    int looks = 0;
    while (const auto look = bench.demand.next_look()) {
        ASSERT_LT(++looks, 5);
        ASSERT_GT(*look, bench.now);
        bench.now = *look;
        EXPECT_TRUE(bench.due().empty());
    }
}

/// Else a worker that joins would get nothing until the leases of the others end.
TEST(DirectDemandTest, WhileItPaysItIsAskedAnewEveryHalfSecond) {
    DemandBench bench(DirectUse::always);
    bench.submit(1);
    ASSERT_EQ(bench.due().size(), 1U);
    bench.lease(1);
    bench.finish(1);
    bench.now += DirectDemand::refresh - 1ms;
    bench.submit(1);
    EXPECT_TRUE(bench.due().empty());
    bench.finish(1);
    bench.now += 1ms;
    bench.submit(1);
    const auto asks = bench.due();
    ASSERT_EQ(asks.size(), 1U);
    EXPECT_EQ(asks[0].request_count, 1U);
}

TEST(DirectDemandTest, ALeaseThatIsOutgrownIsAskedAnewSoon) {
    DemandBench bench(DirectUse::always);
    bench.submit(1);
    ASSERT_EQ(bench.due().at(0).request_count, 1U);
    bench.lease(1);
    bench.submit(7);
    EXPECT_TRUE(bench.due().empty()) << "more calls may follow at once";
    bench.now += DirectDemand::growth_pause;
    bench.submit(1);
    const auto asks = bench.due();
    ASSERT_EQ(asks.size(), 1U);
    EXPECT_EQ(asks[0].request_count, 9U);
    bench.lease(4);  // the broker has no more
    bench.now += DirectDemand::growth_pause;
    bench.finish(1);
    bench.submit(1);
    EXPECT_TRUE(bench.due().empty()) << "the same was asked for already";
}

TEST(DirectDemandTest, OldServicesMakeRoomForNewOnes) {
    DemandBench bench(DirectUse::always);
    bench.submit(1);
    for (std::size_t i = 0; i < DirectDemand::most_services; ++i) {
        bench.now += 1ms;
        Submit call;
        call.service = "m" + std::to_string(i);
        bench.demand.submitted(call, bench.now);
    }
    EXPECT_EQ(bench.demand.asked("gnn"), nullptr);
    EXPECT_NE(bench.demand.asked("m0"), nullptr);
}

}  // namespace
}  // namespace farm
