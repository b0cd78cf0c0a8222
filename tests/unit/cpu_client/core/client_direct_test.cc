// The client's direct path: leases, sessions with workers, and the way back to the broker.
#include <gtest/gtest.h>

#include "tests/unit/cpu_client/core/client_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

ClientOptions always() {
    ClientOptions options;
    options.direct = DirectUse::always;
    return options;
}

/// A client with a session, whose broker leases workers.
struct DirectBench : ClientBench {
    DirectBench() : ClientBench({"tcp://a:5600"}, always()) { connect(); }

    static LeaseGrant grant(const std::string& url, std::uint32_t count = 2) {
        LeaseGrant grant;
        grant.url = url;
        grant.lease = 5;
        grant.request_count = count;
        grant.device_bytes = count * 10'000;
        grant.valid_ms = 10'000;
        grant.mac = std::string(32, 'm');
        grant.worker = SessionId{50};
        return grant;
    }
    /// The worker welcomes the client and accepts its lease.
    LinkId worker_joins(const LeaseGrant& grant) {
        from_broker(Lease{"gnn", {grant}});
        const LinkId direct = last<OpenDirect>()->link;
        step(LinkOpened{direct});
        Welcome welcome;
        welcome.session = SessionId{1};
        welcome.broker = PeerId::from_words(4, direct.value);
        welcome.broker_name = "w";
        step(Received{direct, welcome});
        step(Received{direct, Lease{"gnn", {grant}}});
        return direct;
    }
    LinkId called_on() const {
        for (auto it = effects.rbegin(); it != effects.rend(); ++it) {
            const auto* transmit = std::get_if<Transmit>(&*it);
            if (transmit != nullptr && std::holds_alternative<Call>(transmit->message)) {
                return transmit->link;
            }
        }
        return {};
    }
    void answer_on(LinkId by, std::uint64_t number) {
        Answer message = answer(number);
        message.worker = SessionId{};
        step(AnswerArrived{by, std::move(message), {}});
    }
};

TEST(ClientDirectTest, CallsGoByTheBrokerUntilTheWorkerHasAcceptedTheLease) {
    DirectBench bench;
    bench.step(bench.call(1));
    EXPECT_EQ(bench.called_on(), bench.link);
    ASSERT_NE(bench.sent<Resolve>(), nullptr);
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(bench.call(2));
    EXPECT_EQ(bench.called_on(), worker);
    bench.answer_on(worker, 2);
    ASSERT_NE(bench.completed(2), nullptr);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::ok);
}

TEST(ClientDirectTest, BeyondTheLeaseCallsGoByTheBroker) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1", 1));
    bench.step(bench.call(2));
    bench.step(bench.call(3));
    EXPECT_EQ(bench.called_on(), bench.link);
    bench.answer_on(worker, 2);
    bench.step(bench.call(4));
    EXPECT_EQ(bench.called_on(), worker);
}

TEST(ClientDirectTest, ACancelledCallHoldsItsPlaceUntilTheWorkerLetsGo) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1", 1));
    bench.step(bench.call(2));
    bench.step(CancelCall{CallId::from_words(1, 2)});
    EXPECT_EQ(bench.completed(2)->status, CallStatus::cancelled);
    bench.step(bench.call(3));
    EXPECT_EQ(bench.called_on(), bench.link);
    bench.answer_on(worker, 2);
    bench.step(bench.call(4));
    EXPECT_EQ(bench.called_on(), worker);
}

TEST(ClientDirectTest, CallsTooLargeForTheLeaseGoByTheBroker) {
    DirectBench bench;
    bench.step(bench.call(1));
    bench.worker_joins(DirectBench::grant("tcp://w:1"));
    Submit large = bench.call(2);
    large.input_bytes = 64 * 1024 + 1;
    bench.step(large);
    EXPECT_EQ(bench.called_on(), bench.link);
}

TEST(ClientDirectTest, ABrokenDirectConnectionLosesNoCall) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(bench.call(2));
    bench.step(LinkLost{worker});
    EXPECT_EQ(bench.called_on(), bench.link);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    EXPECT_EQ(bench.sent<Call>()->avoid, SessionId{50});
    EXPECT_FALSE(bench.sent<Call>()->suspect) << "its run was not known to have begun";
}

TEST(ClientDirectTest, ACallThatWasRunningWhenTheWorkerDiedIsASuspect) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(bench.call(2));
    bench.step(Received{worker, Started{{{CallId::from_words(1, 2), 1}}}});
    bench.step(LinkLost{worker});
    EXPECT_TRUE(bench.sent<Call>()->suspect);
}

TEST(ClientDirectTest, AWorkerThatCannotBeReachedIsNotTriedAgainForAWhile) {
    DirectBench bench;
    bench.step(bench.call(1));
    bench.from_broker(Lease{"gnn", {DirectBench::grant("tcp://w:1")}});
    ASSERT_EQ(bench.count<OpenDirect>(), 1U);
    bench.run_for(ClientOptions{}.back_off.connect_timeout + 1ms);
    EXPECT_TRUE(bench.workers.empty());
    bench.from_broker(Lease{"gnn", {DirectBench::grant("tcp://w:1")}});
    EXPECT_EQ(bench.count<OpenDirect>(), 1U);
}

TEST(ClientDirectTest, LeasesOutliveTheBroker) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(LinkLost{bench.link});
    bench.step(bench.call(2));
    EXPECT_EQ(bench.called_on(), worker);
    bench.answer_on(worker, 2);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::ok);
}

TEST(ClientDirectTest, ACallAtAWorkerIsNotGivenUpWithTheBroker) {
    DirectBench bench;
    bench.step(bench.call(1));
    LeaseGrant grant = DirectBench::grant("tcp://w:1");
    grant.valid_ms = 60'000;
    const LinkId worker = bench.worker_joins(grant);
    bench.answers(bench.answer(1));
    bench.step(bench.call(2));
    bench.step(LinkLost{bench.link});
    for (int i = 0; i < 30; ++i) {
        bench.run_for(500ms);
        bench.step(Received{worker, Beat{}});
    }
    EXPECT_EQ(bench.completed(2), nullptr);
    bench.answer_on(worker, 2);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::ok);
}

TEST(ClientDirectTest, AnUnusedDirectSessionIsLeft) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.answers(bench.answer(1));
    for (int i = 0; i < 24; ++i) {
        bench.run_for(500ms);
        bench.from_broker(Beat{});
        if (bench.workers.contains(worker)) bench.step(Received{worker, Beat{}});
    }
    EXPECT_TRUE(bench.workers.empty());
    EXPECT_EQ(bench.sent<Goodbye>()->reason, "no lease is left");
}

TEST(ClientDirectTest, AWorkerThatDrainsGetsNoMoreCalls) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(bench.call(2));
    bench.step(Received{worker, Drain{}});
    bench.step(bench.call(3));
    EXPECT_EQ(bench.called_on(), bench.link);
    bench.answer_on(worker, 2);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::ok);
}

TEST(ClientDirectTest, CallsSpreadOverWorkersByWhatTheyWaitFor) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId slow = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    const LinkId fast = bench.worker_joins(DirectBench::grant("tcp://w:2"));
    std::map<LinkId, int> counts;
    for (std::uint64_t number = 2; number < 4; ++number) {  // each is measured once
        bench.step(bench.call(number));
        const LinkId by = bench.called_on();
        bench.now += by == slow ? 50ms : 1ms;
        bench.answer_on(by, number);
    }
    for (std::uint64_t number = 4; number < 10; ++number) {
        bench.step(bench.call(number));
        const LinkId by = bench.called_on();
        ++counts[by];
        bench.answer_on(by, number);
    }
    EXPECT_GE(counts[fast], 5);
}

TEST(ClientDirectTest, AnAnswerAfterResumingIsTaken) {
    DirectBench bench;
    bench.step(bench.call(1));
    const Welcome first = [] {
        Welcome welcome;
        welcome.session = SessionId{7};
        welcome.broker = PeerId::from_words(9, 9);
        return welcome;
    }();
    bench.connecting = false;
    bench.step(LinkLost{bench.link});
    Welcome resumed = first;
    resumed.known = {{CallId::from_words(1, 1), 1}};
    bench.connect(resumed);
    bench.answers(bench.answer(1));
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::ok);
}

TEST(ClientDirectTest, ShutdownLeavesTheWorkersToo) {
    DirectBench bench;
    bench.step(bench.call(1));
    bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(bench.call(2));
    bench.step(Shutdown{});
    EXPECT_EQ(bench.completed(2)->status, CallStatus::cancelled);
    EXPECT_TRUE(bench.workers.empty());
    EXPECT_EQ(bench.held_count(), 0U);
}

}  // namespace
}  // namespace farm
