// Clients that call a worker without a broker between (rule 13).
#include <gtest/gtest.h>

#include "gpu_worker/core/worker_machine.h"
#include "tests/support/worker_rim.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t client = 50;

ServiceAd service(bool idempotent = true) {
    ServiceAd ad;
    ad.index = ServiceIndex{1};
    ad.model = "m1";
    ad.batch = BatchRule::rows;
    ad.max_batch_rows = 8;
    ad.max_call_bytes = 64 << 20;
    ad.idempotent = idempotent;
    return ad;
}

/// One broker, one service, one client with a lease.
struct DirectBench : WorkerRim {
    explicit DirectBench(std::uint32_t request_count = 2) {
        model(service());
        join(0);
        welcomed = sent<Welcome>(connect(client)).at(0);
        LeaseTermsOptions options;
        options.request_count = request_count;
        options.device_bytes = 32 << 20;
        lease(client, 0, options);
    }
    Welcome welcomed;
    std::uint64_t window() { return credits[0].windows.at(0).request_count; }
};

TEST(WorkerDirectTest, AnAddressIsAdvertisedForWhatMayRunTwice) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    rim.effects.clear();
    ServiceAd once = service(false);
    once.index = ServiceIndex{2};
    const auto ads = sent<Advertise>(rim.model(once));
    ASSERT_EQ(ads.size(), 1U);
    EXPECT_EQ(ads[0].services[0].direct_url, "");
    EXPECT_TRUE(ads[0].lease_key);
    EXPECT_EQ(rim.machine.service(ServiceIndex{1})->ad.direct_url, "tcp://w1:5700");
}

TEST(WorkerDirectTest, ALeaseIsSentBackAndACallUnderItRuns) {
    DirectBench bench;
    ASSERT_EQ(sent<Lease>(bench.effects).size(), 1U);
    EXPECT_EQ(sent<Lease>(bench.effects)[0].grants.size(), 1U);
    bench.call(client, 1);
    ASSERT_EQ(bench.runs.size(), 1U);
    EXPECT_EQ(sent<Started>(bench.effects).size(), 1U);
    bench.finish(RunId{1});
    ASSERT_EQ(bench.answers[client].size(), 1U);
    EXPECT_EQ(bench.answers[client][0].outcome, Outcome::ok);
    EXPECT_TRUE(bench.answers[0].empty());
    EXPECT_EQ(bench.machine.kept_result_count(), 0U);
    EXPECT_TRUE(bench.live_payloads.empty());
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, ACallWithoutALeaseIsRefused) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    rim.connect(client);
    rim.call(client, 1);
    ASSERT_EQ(rim.answers[client].size(), 1U);
    EXPECT_EQ(rim.answers[client][0].reason, Reason::overloaded);
    EXPECT_TRUE(rim.runs.empty());
    EXPECT_TRUE(rim.live_payloads.empty());
}

TEST(WorkerDirectTest, AForgedLeaseIsRefused) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    rim.connect(client);
    WorkerRim::LeaseTermsOptions options;
    options.forged_count = 1;
    const auto answers = sent<Lease>(rim.lease(client, 0, options));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].grants.empty());
}

TEST(WorkerDirectTest, AnotherClientsLeaseIsRefused) {
    DirectBench bench;
    bench.connect(client + 1);
    LeaseGrant grant;
    const auto answers = sent<Lease>(bench.receive(client + 1, Lease{"m1", {grant}}));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].grants.empty());
}

TEST(WorkerDirectTest, MoreCallsThanLeasedAreRefused) {
    DirectBench bench(2);
    for (std::uint64_t i = 1; i <= 3; ++i) bench.call(client, i);
    ASSERT_EQ(bench.answers[client].size(), 1U);
    EXPECT_EQ(bench.answers[client][0].reason, Reason::overloaded);
    bench.finish(RunId{1});
    bench.call(client, 4);
    EXPECT_EQ(bench.answers[client].back().reason, Reason::none) << "room came back";
}

TEST(WorkerDirectTest, ALeaseLargerThanTheWindowIsRefused) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    rim.connect(client);
    WorkerRim::LeaseTermsOptions options;
    options.request_count = rim.credits[0].windows.at(0).request_count + 1;
    const auto answers = sent<Lease>(rim.lease(client, 0, options));
    EXPECT_TRUE(answers.back().grants.empty());
}

TEST(WorkerDirectTest, RoutedCallsAreRefusedWhereALeaseIs) {
    DirectBench bench;
    const auto window = bench.window();
    for (std::uint64_t i = 1; i <= window; ++i) bench.call(0, i);
    ASSERT_EQ(bench.answers[0].size(), 2U) << "two of the window are leased";
    EXPECT_EQ(bench.answers[0][0].reason, Reason::overloaded);
}

TEST(WorkerDirectTest, AnExpiredLeaseGivesItsRoomBack) {
    DirectBench bench;
    const auto window = bench.window();
    for (int i = 0; i < 11; ++i) {
        bench.advance(1s);
        bench.beat(0);
        bench.receive(client, Beat{});
    }
    bench.call(client, 1);
    EXPECT_EQ(bench.answers[client].size(), 1U) << "it has no lease any more";
    for (std::uint64_t i = 2; i <= window + 1; ++i) bench.call(0, i);
    EXPECT_TRUE(bench.answers[0].empty());
}

TEST(WorkerDirectTest, ALeaseOutlivesItsBrokersRestart) {
    DirectBench bench;
    const auto window = bench.window();
    bench.lost(0);
    for (int i = 0; i < 100 && !bench.has_link(0); ++i) bench.advance(10ms);
    bench.opened(0);
    bench.welcome(0, {}, 2);
    bench.call(client, 1);
    EXPECT_EQ(bench.runs.size(), 1U);
    EXPECT_EQ(bench.window(), window - 2) << "the new broker does not know of the lease";
}

TEST(WorkerDirectTest, AClientThatIsGoneFreesWhatItsCallsHeld) {
    DirectBench bench;
    bench.call(client, 1);
    bench.call(client, 2);  // waits
    bench.lost(client);
    EXPECT_EQ(bench.machine.held_call_count(), 1U) << "the run goes on";
    bench.finish(RunId{1});
    EXPECT_EQ(bench.machine.held_call_count(), 0U);
    bench.advance(70s);  // nobody has asked for it through a broker
    EXPECT_TRUE(bench.live_payloads.empty());
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, AClientThatIsGoneReturnsItsLease) {
    DirectBench bench;
    const auto window = bench.window();
    bench.effects.clear();
    bench.lost(client);
    const auto returned = sent<Lease>(bench.effects);
    ASSERT_EQ(returned.size(), 1U);
    EXPECT_EQ(returned[0].grants.at(0).lease, 1U);
    EXPECT_EQ(returned[0].grants.at(0).request_count, 0U);
    for (std::uint64_t i = 1; i <= window; ++i) bench.call(0, i);
    EXPECT_TRUE(bench.answers[0].empty()) << "the whole window is for routed calls";
    for (int i = 0; i < 11; ++i) {  // nothing is left to expire
        bench.advance(1s);
        bench.beat(0);
    }
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, AReturnedLeaseIsNotTakenAgain) {
    DirectBench bench;
    bench.lost(client);
    bench.connect(client);
    WorkerRim::LeaseTermsOptions options;
    options.request_count = 2;
    const auto leases = sent<Lease>(bench.lease(client, 0, options));
    ASSERT_EQ(leases.size(), 1U);
    EXPECT_TRUE(leases[0].grants.empty()) << "its broker has given the room to others";
    options.number = 2;
    EXPECT_EQ(sent<Lease>(bench.lease(client, 0, options)).at(0).grants.size(), 1U);
}

TEST(WorkerDirectTest, ALeaseThatIsNotAcceptedIsReturned) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    rim.connect(client);
    WorkerRim::LeaseTermsOptions options;
    options.request_count = rim.credits[0].windows.at(0).request_count + 1;
    const auto leases = sent<Lease>(rim.lease(client, 0, options));
    ASSERT_EQ(leases.size(), 2U) << "one to the broker, one to the client";
    EXPECT_EQ(leases[0].grants.at(0).request_count, 0U);
}

TEST(WorkerDirectTest, ARoutedCallHasItsPlaceBesideALeaseWhenTheWindowShrinks) {
    DirectBench bench(15);
    const auto before = bench.window();
    ASSERT_EQ(before, 16U);
    bench.slice_time = [](std::uint32_t rows) { return rows * 1ms; };
    std::uint64_t number = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 8; ++i) bench.call(client, ++number);
        while (!bench.runs.empty()) {
            bench.advance(1ms);
            bench.finish(bench.runs.begin()->first);
        }
        bench.beat(0);
    }
    const std::uint64_t capacity = bench.machine.service(ServiceIndex{1})->capacity();
    ASSERT_LT(capacity, 15U) << "runs of one row are as good as larger ones";
    EXPECT_EQ(bench.window(), 16U);
}

TEST(WorkerDirectTest, ASilentClientIsGone) {
    DirectBench bench;
    bench.call(client, 1);
    bench.call(client, 2);
    for (int i = 0; i < 5; ++i) {
        bench.advance(1s);
        bench.beat(0);
    }
    EXPECT_EQ(bench.machine.held_call_count(), 1U);
}

TEST(WorkerDirectTest, ACallSentAgainThroughTheBrokerRunsOnceAndIsAnsweredThere) {
    DirectBench bench;
    bench.call(client, 1);
    bench.call(0, 1);
    bench.finish(RunId{1});
    EXPECT_TRUE(bench.answers[client].empty());
    ASSERT_EQ(bench.answers[0].size(), 1U);
    EXPECT_EQ(bench.answers[0][0].outcome, Outcome::ok);
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, ALargeAnswerStreamsOnTheClientsGrant) {
    DirectBench bench;
    WorkerRim::CallOptions options;
    options.max_result_bytes = 4 << 20;
    bench.call(client, 1, options);
    bench.finish(RunId{1}, Outcome::ok, 3 << 20);
    ASSERT_EQ(bench.answers[client].size(), 1U);
    EXPECT_TRUE(bench.answers[client][0].chunked);
    bench.receive(client, Send{call_key(1), 3 << 20});
    EXPECT_EQ(all_of<TransmitChunk>(bench.effects).size(), 1U) << "one frame";
    EXPECT_TRUE(bench.live_payloads.empty());
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, OnAnAttachedBulkSocketAnAnswerTravelsWholeUpToAFrame) {
    DirectBench bench;
    const LinkId bulk{first_listener_link + 77};
    bench.step(Received{bulk, Attach{bench.welcomed.session, bench.welcomed.bulk_secret}});
    WorkerRim::CallOptions options;
    options.max_result_bytes = limits::direct_frame_bytes;
    bench.call(client, 1, options);
    bench.finish(RunId{1}, Outcome::ok, limits::direct_frame_bytes);
    ASSERT_EQ(bench.answers[client].size(), 1U);
    EXPECT_FALSE(bench.answers[client][0].chunked);

    options.max_result_bytes = 20 << 20;
    bench.call(client, 2, options);
    bench.finish(RunId{2}, Outcome::ok, limits::direct_frame_bytes + 1);
    ASSERT_EQ(bench.answers[client].size(), 2U);
    EXPECT_TRUE(bench.answers[client][1].chunked);
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, ALargeCallComesInOnTheClientsOwnConnection) {
    DirectBench bench;
    WorkerRim::CallOptions options;
    options.chunked = true;
    options.input_bytes = 2 << 20;
    bench.call(client, 1, options);
    EXPECT_TRUE(sent<Send>(bench.effects).empty()) << "its bulk socket is not bound yet";
    const LinkId bulk{first_listener_link + 77};
    bench.step(Received{bulk, Attach{bench.welcomed.session, bench.welcomed.bulk_secret}});
    ASSERT_EQ(all_of<BindBulk>(bench.effects).size(), 1U);
    EXPECT_EQ(sent<Attach>(bench.effects).size(), 1U);
    ASSERT_EQ(sent<Send>(bench.effects).size(), 1U);
    EXPECT_EQ(sent<Send>(bench.effects)[0].granted_bytes, 2U << 20);
    for (std::uint64_t offset = 0; offset < 2 << 20; offset += 1 << 20) {
        bench.receive(client, Chunk{call_key(1), 0, offset, 1 << 20, bench.new_payload()});
    }
    EXPECT_EQ(bench.runs.size(), 1U);
    EXPECT_TRUE(bench.problems.empty()) << bench.problems.front();
}

TEST(WorkerDirectTest, AWrongSecretBindsNothing) {
    DirectBench bench;
    bench.step(Received{LinkId{first_listener_link + 77}, Attach{bench.welcomed.session, {}}});
    EXPECT_TRUE(all_of<BindBulk>(bench.effects).empty());
    EXPECT_EQ(sent<Refused>(bench.effects).size(), 1U);
}

TEST(WorkerDirectTest, ACancelledCallLeavesAndTheRunGoesOn) {
    DirectBench bench;
    bench.call(client, 1);
    bench.call(client, 2);
    bench.receive(client, Cancel{call_key(2).id});
    ASSERT_EQ(bench.answers[client].size(), 1U);
    EXPECT_EQ(bench.answers[client][0].reason, Reason::cancelled);
    bench.receive(client, Cancel{call_key(1).id});
    bench.finish(RunId{1});
    EXPECT_EQ(bench.answers[client].size(), 2U);
}

TEST(WorkerDirectTest, AWorkerThatDrainsTellsItsClientsAndFinishesTheirCalls) {
    DirectBench bench;
    bench.call(client, 1);
    bench.step(DrainRequested{});
    EXPECT_EQ(sent<Drain>(bench.effects).size(), 2U) << "its broker and its client";
    bench.call(client, 2);
    EXPECT_EQ(bench.answers[client].back().reason, Reason::draining);
    bench.finish(RunId{1});
    EXPECT_EQ(bench.answers[client].back().outcome, Outcome::ok);
    EXPECT_TRUE(bench.machine.finished());
}

TEST(WorkerDirectTest, AVerbOfBrokersEndsTheSession) {
    DirectBench bench;
    const auto refusals = sent<Refused>(bench.receive(client, List{}));
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].reason, RefusedReason::malformed);
}

TEST(WorkerDirectTest, AStrangerIsToldToSayHello) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    rim.connect(client);
    const auto refusals =
        sent<Refused>(rim.step(Received{LinkId{first_listener_link + 99}, Message(Beat{})}));
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].reason, RefusedReason::unknown_session);
}

TEST(WorkerDirectTest, AWorkerIsNotAClient) {
    WorkerRim rim;
    Hello hello;
    hello.role = Role::worker;
    hello.peer = client_peer(3);
    const auto refusals =
        sent<Refused>(rim.step(Received{LinkId{first_listener_link + 3}, Message(hello)}));
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].reason, RefusedReason::unauthorized);
}

// ---- on the same host -------------------------------------------------------------------------

TEST(WorkerSameHostTest, ItsAddressIsAdvertised) {
    WorkerRim rim;
    rim.join(0);
    EXPECT_EQ(sent<Advertise>(rim.model(service()))[0].same_host, "boot/0/@w1");
}

TEST(WorkerSameHostTest, ALargeAnswerTravelsWhole) {
    WorkerRim rim;
    rim.model(service());
    rim.join(0);
    const auto welcomes = sent<Welcome>(rim.connect(client, true));
    ASSERT_EQ(welcomes.size(), 1U);
    EXPECT_EQ(welcomes[0].bulk_url, "");
    WorkerRim::LeaseTermsOptions terms;
    terms.device_bytes = 32 << 20;
    rim.lease(client, 0, terms);
    WorkerRim::CallOptions call;
    call.input_bytes = 4 << 20;
    call.max_result_bytes = 8 << 20;
    rim.call(client, 1, call);
    ASSERT_EQ(rim.runs.size(), 1U);
    rim.finish(RunId{1}, Outcome::ok, 6 << 20);
    ASSERT_EQ(rim.answers[client].size(), 1U);
    EXPECT_FALSE(rim.answers[client][0].chunked);
    EXPECT_EQ(rim.answers[client][0].output_bytes, 6U << 20);
    EXPECT_EQ(rim.answers[client][0].streamed_bytes, 0U);
    EXPECT_TRUE(rim.live_payloads.empty());
    EXPECT_TRUE(rim.problems.empty()) << rim.problems.front();
}

}  // namespace
}  // namespace farm
