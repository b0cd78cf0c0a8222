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
    explicit DirectBench(ClientOptions options = always())
        : ClientBench({"tcp://a:5600"}, std::move(options)) {
        connect();
    }

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

TEST(ClientDirectTest, OnAnAttachedBulkSocketCallsTravelWholeUpToAFrame) {
    DirectBench bench;
    bench.step(bench.call(1));
    LeaseGrant grant = DirectBench::grant("tcp://w:1", 4);
    grant.device_bytes = 256 << 20;
    const LinkId worker = bench.worker_joins(grant);
    const auto call_is_chunked = [&](std::uint64_t number, std::uint64_t bytes) {
        Submit large = bench.call(number);
        large.input_bytes = bytes;
        large.large = {{0, bytes}};
        large.max_result_bytes = 1 << 20;
        bench.step(large);
        EXPECT_EQ(bench.called_on(), worker);
        return bench.sent<Call>()->chunked;
    };
    EXPECT_TRUE(call_is_chunked(2, 2 << 20)) << "its bulk socket is not there yet";
    bench.step(Received{worker, Attach{SessionId{1}, {}}});
    EXPECT_FALSE(call_is_chunked(3, limits::direct_frame_bytes));
    EXPECT_TRUE(call_is_chunked(4, limits::direct_frame_bytes + 1));
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

TEST(ClientDirectTest, NoRoomToSendIsNotTheDeathOfTheWorker) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.step(bench.call(2));
    bench.step(Received{worker, Started{{{CallId::from_words(1, 2), 1}}}});
    bench.step(LinkLost{worker, LinkLost::Cause::no_room});
    EXPECT_EQ(bench.called_on(), bench.link);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    EXPECT_FALSE(bench.sent<Call>()->suspect) << "the worker runs on";
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

TEST(ClientDirectTest, ASessionIsKeptWhileItsLeaseIsAskedForAnew) {
    DirectBench bench;
    bench.step(bench.call(1));
    const LinkId worker = bench.worker_joins(DirectBench::grant("tcp://w:1"));
    bench.answers(bench.answer(1));
    const auto run = [&](Duration time) {
        for (Duration passed{}; passed < time; passed += 100ms) {
            bench.run_for(100ms);
            bench.from_broker(Beat{});
            bench.step(Received{worker, Beat{}});
        }
    };
    run(9s);
    bench.step(
        bench.call(2));  // under the lease, which ends while the broker thinks about the next
    ASSERT_EQ(bench.called_on(), worker);
    bench.answer_on(worker, 2);
    run(600ms);
    EXPECT_TRUE(bench.workers.contains(worker));
    bench.from_broker(Lease{"gnn", {DirectBench::grant("tcp://w:1")}});
    EXPECT_NE(bench.sent<Lease>(), nullptr) << "the next one is shown in the same session";
    EXPECT_EQ(bench.sent<Goodbye>(), nullptr) << "it would have given the lease back";
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
    bench.run_for(100ms);
    EXPECT_FALSE(bench.workers.contains(worker)) << "left as soon as its last call is back";
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

// ---- on the same host -------------------------------------------------------------------------

struct SameHostBench : DirectBench {
    SameHostBench() : DirectBench(on_this_host()) {}

    static ClientOptions on_this_host() {
        ClientOptions options = always();
        options.host = "boot/0";
        return options;
    }
    static LeaseGrant near_grant(const std::string& url, const std::string& same_host) {
        LeaseGrant near = grant(url);
        near.same_host = same_host;
        return near;
    }
    /// A call whose tensors would travel in chunks elsewhere.
    Submit large_call(std::uint64_t number) {
        Submit submit = call(number);
        submit.input_bytes = 2 << 20;
        submit.large = {{0, 2 << 20}};
        return submit;
    }
};

TEST(ClientSameHostTest, TheBrokerIsToldTheHostAndItsWorkersAreCalledThere) {
    SameHostBench bench;
    bench.step(bench.call(1));
    ASSERT_NE(bench.sent<Resolve>(), nullptr);
    EXPECT_EQ(bench.sent<Resolve>()->host, "boot/0");
    const LinkId worker = bench.worker_joins(SameHostBench::near_grant("tcp://w:1", "boot/0/@w"));
    EXPECT_TRUE(is_same_host(worker));
    EXPECT_EQ(bench.last<OpenDirect>()->url, "@w");
    EXPECT_EQ(bench.last<OpenDirect>()->worker_key, "");
    EXPECT_NE(bench.last<Note>()->text.find("same host @w"), std::string::npos);
    bench.step(bench.call(2));
    EXPECT_EQ(bench.called_on(), worker);
}

TEST(ClientSameHostTest, AWorkerElsewhereIsCalledByItsAddress) {
    SameHostBench bench;
    bench.step(bench.call(1));
    for (const char* address : {"boot2/0/@w", "boot/1/@w", ""}) {
        bench.from_broker(
            Lease{"gnn", {SameHostBench::near_grant(std::string("tcp://") + address, address)}});
        EXPECT_FALSE(is_same_host(bench.last<OpenDirect>()->link)) << address;
    }
}

TEST(ClientSameHostTest, LargeCallsTravelWholeAndNeedNoBulkSocket) {
    SameHostBench bench;
    bench.step(bench.call(1));
    LeaseGrant grant = SameHostBench::near_grant("", "boot/0/@w");
    grant.device_bytes = 64 << 20;
    const LinkId worker = bench.worker_joins(grant);
    Submit large = bench.large_call(2);
    large.max_result_bytes = 4 << 20;
    bench.effects.clear();
    bench.step(large);
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.called_on(), worker);
    EXPECT_FALSE(bench.sent<Call>()->chunked);
    EXPECT_EQ(bench.sent<Call>()->streamed_bytes, 0U);
    EXPECT_EQ(bench.sent<Call>()->input_bytes, 2U << 20);
    const auto* bulk = bench.last<OpenBulk>();
    EXPECT_TRUE(bulk == nullptr || bulk->link == bench.link) << "only the broker's";
    bench.answer_on(worker, 2);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::ok);
}

/// A worker within the host, whose lease holds one call of large_call's size.
struct FullLeaseBench : SameHostBench {
    LinkId worker;

    FullLeaseBench() {
        step(call(1));
        LeaseGrant one = near_grant("", "boot/0/@w");
        one.request_count = 1;
        one.device_bytes = 64 << 20;
        worker = worker_joins(one);
        step(large(2));
        effects.clear();
    }
    Submit large(std::uint64_t number) {
        Submit submit = large_call(number);
        submit.max_result_bytes = 4 << 20;
        return submit;
    }
};

TEST(ClientSameHostTest, ALargeCallWaitsForRoomInItsLease) {
    FullLeaseBench bench;
    bench.step(bench.large(3));
    EXPECT_EQ(bench.sent_count<Call>(), 0U);
    EXPECT_EQ(bench.count<OpenBulk>(), 0U) << "it does not prepare for the way by the broker";
    bench.step(bench.call(4));
    EXPECT_EQ(bench.called_on(), bench.link) << "a small call does not wait";
    bench.answer_on(bench.worker, 2);
    EXPECT_EQ(bench.called_on(), bench.worker);
    bench.answer_on(bench.worker, 3);
    EXPECT_EQ(bench.completed(3)->status, CallStatus::ok);
}

TEST(ClientSameHostTest, ALargeCallOfAnotherServiceDoesNotWaitForThisOnesLease) {
    FullLeaseBench bench;
    bench.step(bench.large(3));
    Submit other = bench.large(4);
    other.service = "other";
    bench.step(other);
    const auto* bulk = bench.last<OpenBulk>();
    ASSERT_NE(bulk, nullptr);
    bench.from_broker(Attach{SessionId{7}, {}});
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.sent<Call>()->key.id, other.id);
    EXPECT_EQ(bench.called_on(), bench.link);
}

TEST(ClientSameHostTest, ALargeCallOnlyWaitsForPartOfItsTime) {
    FullLeaseBench bench;
    Submit urgent = bench.large(3);
    urgent.deadline = bench.now + 800ms;
    bench.step(urgent);
    bench.run_for(190ms);
    EXPECT_EQ(bench.count<OpenBulk>(), 0U);
    bench.run_for(20ms);
    EXPECT_EQ(bench.count<OpenBulk>(), 1U) << "by the broker, while there is time";
}

TEST(ClientSameHostTest, LargeCallsWaitWhileOthersUnderTheLeaseEnd) {
    FullLeaseBench bench;
    for (std::uint64_t number = 3; number < 8; ++number) bench.step(bench.large(number));
    for (std::uint64_t number = 2; number < 8; ++number) {
        bench.run_for(900ms);
        bench.answer_on(bench.worker, number);
        ASSERT_NE(bench.completed(number), nullptr) << number;
    }
    EXPECT_EQ(bench.count<OpenBulk>(), 0U) << "none had to go by the broker";
}

/// The answer that makes room comes in the turn in which the first in line is found to be late.
TEST(ClientSameHostTest, ACallThatExpiresWhenItsTurnComesHoldsNoPlaceInTheLease) {
    FullLeaseBench bench;
    Submit late = bench.large(3);
    late.deadline = bench.now + 100ms;
    bench.step(late);
    bench.now += 100ms;
    bench.answer_on(bench.worker, 2);
    ASSERT_NE(bench.completed(3), nullptr);
    EXPECT_EQ(bench.completed(3)->status, CallStatus::deadline);
    bench.effects.clear();
    bench.step(bench.large(4));
    EXPECT_EQ(bench.called_on(), bench.worker);
}

TEST(ClientSameHostTest, ALargeCallWithoutAWayDoesNotHoldUpThoseThatHaveOne) {
    FullLeaseBench bench;
    Submit other = bench.large(3);
    other.service = "other";
    bench.step(other);  // waits for the broker's bulk socket
    bench.step(bench.large(4));
    bench.answer_on(bench.worker, 2);
    EXPECT_EQ(bench.called_on(), bench.worker);
}

TEST(ClientSameHostTest, ALargeCallDoesNotWaitForItsLeaseForLong) {
    FullLeaseBench bench;
    bench.step(bench.large(3));
    bench.run_for(900ms);
    EXPECT_EQ(bench.count<OpenBulk>(), 0U);
    bench.run_for(200ms);
    EXPECT_EQ(bench.count<OpenBulk>(), 1U) << "by the broker";
}

TEST(ClientSameHostTest, ALargeCallThatIsSentAgainElsewhereGoesInChunks) {
    SameHostBench bench;
    bench.step(bench.call(1));
    LeaseGrant near = SameHostBench::near_grant("", "boot/0/@w");
    near.device_bytes = 64 << 20;
    const LinkId worker = bench.worker_joins(near);
    Submit large = bench.large_call(2);
    large.max_result_bytes = 4 << 20;
    bench.step(large);
    ASSERT_EQ(bench.called_on(), worker);
    LeaseGrant far = DirectBench::grant("tcp://v:1");
    far.device_bytes = 64 << 20;
    far.worker = SessionId{51};
    const LinkId other = bench.worker_joins(far);
    bench.step(LinkLost{worker});
    EXPECT_EQ(bench.called_on(), other);
    EXPECT_TRUE(bench.sent<Call>()->chunked);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
}

TEST(ClientSameHostTest, WithoutAWayWithinTheHostTheLeaseIsUsedByTheAddress) {
    SameHostBench bench;
    bench.step(bench.call(1));
    const LeaseGrant grant = SameHostBench::near_grant("tcp://w:1", "boot/0/@w");
    bench.from_broker(Lease{"gnn", {grant}});
    const LinkId near = bench.last<OpenDirect>()->link;
    ASSERT_TRUE(is_same_host(near));
    bench.step(LinkLost{near});
    EXPECT_EQ(bench.last<OpenDirect>()->url, "tcp://w:1");
    const LinkId far = bench.last<OpenDirect>()->link;
    EXPECT_FALSE(is_same_host(far));
    bench.step(LinkOpened{far});
    Welcome welcome;
    welcome.session = SessionId{1};
    welcome.broker = PeerId::from_words(4, 4);
    bench.step(Received{far, welcome});
    ASSERT_NE(bench.sent<Lease>(), nullptr);
    EXPECT_EQ(bench.sent<Lease>()->grants, std::vector<LeaseGrant>{grant});
    bench.step(Received{far, Lease{"gnn", {grant}}});
    bench.step(bench.call(2));
    EXPECT_EQ(bench.called_on(), far);
}

TEST(ClientSameHostTest, ARefusalWithinTheHostLeadsToTheAddress) {
    SameHostBench bench;
    bench.step(bench.call(1));
    bench.from_broker(Lease{"gnn", {SameHostBench::near_grant("tcp://w:1", "boot/0/@w")}});
    const LinkId near = bench.last<OpenDirect>()->link;
    bench.step(LinkOpened{near});
    bench.step(Received{near, Refused{RefusedReason::too_many_sessions, "full"}});
    EXPECT_EQ(bench.last<OpenDirect>()->url, "tcp://w:1");
    EXPECT_FALSE(bench.workers.contains(near));
}

TEST(ClientSameHostTest, WithoutRoomInSharedMemoryTheAddressIsUsedForAWhile) {
    SameHostBench bench;
    bench.step(bench.call(1));
    const LeaseGrant grant = SameHostBench::near_grant("tcp://w:1", "boot/0/@w");
    const LinkId near = bench.worker_joins(grant);
    ASSERT_TRUE(is_same_host(near));
    bench.step(LinkLost{near, LinkLost::Cause::no_room});
    bench.run_for(1s);
    bench.step(bench.call(2));
    bench.from_broker(Lease{"gnn", {grant}});
    EXPECT_EQ(bench.last<OpenDirect>()->url, "tcp://w:1");
}

TEST(ClientSameHostTest, WithNoOtherWayCallsGoByTheBroker) {
    SameHostBench bench;
    bench.step(bench.call(1));
    const LeaseGrant grant = SameHostBench::near_grant("", "boot/0/@w");
    bench.from_broker(Lease{"gnn", {grant}});
    bench.step(LinkLost{bench.last<OpenDirect>()->link});
    bench.from_broker(Lease{"gnn", {grant}});
    EXPECT_EQ(bench.count<OpenDirect>(), 1U) << "not tried again for a while";
    bench.step(bench.call(2));
    EXPECT_EQ(bench.called_on(), bench.link);
}

TEST(ClientSameHostTest, WithoutAHostOfItsOwnAClientUsesTheAddress) {
    DirectBench bench;
    bench.step(bench.call(1));
    bench.from_broker(Lease{"gnn", {SameHostBench::near_grant("tcp://w:1", "boot/0/@w")}});
    EXPECT_EQ(bench.last<OpenDirect>()->url, "tcp://w:1");
}

}  // namespace
}  // namespace farm
