#include "tests/unit/broker/core/broker_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t client = 1;
constexpr std::uint64_t worker = 2;
constexpr std::uint64_t other = 3;

struct BrokerMachineTest : ::testing::Test {
    void SetUp() override { broker.join(client, Role::client, 1); }
    BrokerBench broker;
};

// ---- the way of a call ------------------------------------------------------------------------

TEST_F(BrokerMachineTest, CallGoesToAWorkerAndItsAnswerBack) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    const auto calls = broker.sent<Call>(worker);
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].max_result_bytes, 1000U);  // filled in from the signature
    broker.receive(worker, BrokerBench::make_answer(1));
    const auto answers = broker.sent<Answer>(client);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].outcome, Outcome::ok);
    EXPECT_EQ(broker.machine.open_call_count(), 0U);
}

TEST_F(BrokerMachineTest, StatusTellsTheDeviceAsTheLastBeatDid) {
    broker.worker(worker, 2);
    Beat beat;
    beat.device = {80ULL << 30, 20ULL << 30, 73};
    broker.receive(worker, beat);
    const auto workers = broker.machine.report(broker.now).workers;
    ASSERT_EQ(workers.size(), 1U);
    EXPECT_EQ(workers[0].device, beat.device);
}

TEST_F(BrokerMachineTest, CallWaitsUntilTheWindowHasRoom) {
    broker.worker(worker, 2, 1);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(client, BrokerBench::make_call(2));
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
    EXPECT_EQ(broker.machine.queued_bytes(), 100U);
    broker.receive(worker, BrokerBench::make_answer(1));
    EXPECT_EQ(broker.sent<Call>(worker).size(), 2U);
    EXPECT_EQ(broker.machine.queued_bytes(), 0U);
}

TEST_F(BrokerMachineTest, ByteWindowCountsTheResult) {
    broker.join(worker, Role::worker, 2);
    broker.offer(worker);
    broker.grant(worker, 4, 1099);  // 100 bytes in, 1 000 out
    broker.receive(client, BrokerBench::make_call(1));
    EXPECT_TRUE(broker.sent<Call>(worker).empty());
    broker.grant(worker, 4, 1100);
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
}

TEST_F(BrokerMachineTest, ExpiredCallLeavesTheQueue) {
    broker.worker(worker, 2, 0);
    Call call = BrokerBench::make_call(1);
    call.remaining_ms = 200;
    broker.receive(client, call);
    broker.pass(200ms);
    ASSERT_EQ(broker.sent<Answer>(client).size(), 1U);
    EXPECT_EQ(broker.sent<Answer>(client)[0].reason, Reason::deadline);
    EXPECT_TRUE(broker.dropped(1));
}

TEST_F(BrokerMachineTest, FullQueueIsOverloaded) {
    BrokerOptions options = BrokerBench::defaults();
    options.queued_calls_per_service = 1;
    BrokerBench small(options);
    small.join(client, Role::client, 1);
    small.worker(worker, 2, 0);
    small.receive(client, BrokerBench::make_call(1));
    small.receive(client, BrokerBench::make_call(2));
    ASSERT_EQ(small.sent<Answer>(client).size(), 1U);
    EXPECT_EQ(small.sent<Answer>(client)[0].reason, Reason::overloaded);
    EXPECT_GT(small.sent<Answer>(client)[0].retry_after_ms, 0U);
    EXPECT_TRUE(small.dropped(2));
}

TEST_F(BrokerMachineTest, CancelBeforeItsCallLeavesATombstone) {
    broker.worker(worker, 2);
    broker.receive(client, Cancel{BrokerBench::key(1).id});
    broker.receive(client, BrokerBench::make_call(1));
    EXPECT_TRUE(broker.sent<Call>(worker).empty());
    EXPECT_EQ(broker.sent<Answer>(client).at(0).reason, Reason::cancelled);
}

TEST_F(BrokerMachineTest, CancelledCallIsForgottenButItsWindowStaysCharged) {
    broker.worker(worker, 2, 1);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(client, Cancel{BrokerBench::key(1).id});
    EXPECT_EQ(broker.sent<Cancel>(worker).size(), 1U);
    EXPECT_EQ(broker.machine.open_call_count(), 0U);
    broker.receive(client, BrokerBench::make_call(2));
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
    broker.receive(worker, BrokerBench::make_answer(1));
    EXPECT_EQ(broker.sent<Call>(worker).size(), 2U);
    EXPECT_TRUE(broker.sent<Answer>(client).empty());
}

/// Simulation, seed 21: nobody would ever send the SEND that this result waits for.
TEST_F(BrokerMachineTest, LargeResultThatNobodyWantsIsCancelledAtTheWorker) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(client, Cancel{BrokerBench::key(1).id});
    Answer answer = BrokerBench::make_answer(1);
    answer.chunked = true;
    answer.streamed_bytes = 5'000'000;
    broker.receive(worker, answer);
    EXPECT_EQ(broker.sent<Cancel>(worker).size(), 2U);
    EXPECT_TRUE(broker.dropped(1001));
}

/// Simulation, seeds 6125 and 11315: it stood at the head of the queue until its deadline.
TEST_F(BrokerMachineTest, CallThatIsTooLargeForLaterOffersDoesNotBlockTheQueue) {
    Call large = BrokerBench::make_call(1);
    large.input_bytes = 50'000;
    broker.receive(client, large);
    broker.receive(client, BrokerBench::make_call(2));
    broker.join(worker, Role::worker, 2);
    broker.offer(worker, "gnn", 10'000);
    broker.grant(worker, 4);
    ASSERT_EQ(broker.sent<Answer>(client).size(), 1U);
    EXPECT_EQ(broker.sent<Answer>(client)[0].reason, Reason::too_large);
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
}

TEST_F(BrokerMachineTest, CallAvoidsAWorkerUnlessNobodyElseIsThere) {
    broker.worker(worker, 2);
    Call call = BrokerBench::make_call(1);
    call.avoid = broker.sent<Welcome>(worker).at(0).session;
    broker.receive(client, call);
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
    broker.worker(other, 3);
    call.key = BrokerBench::key(2);
    broker.receive(client, call);
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
    EXPECT_EQ(broker.sent<Call>(other).size(), 1U);
}

/// "gnn" is the highest version that any worker calls its latest, "gnn/1" is that version.
TEST_F(BrokerMachineTest, BareNameMeansTheHighestLatestVersion) {
    const auto offer = [&](std::uint64_t link, std::uint32_t version, bool latest) {
        broker.join(link, Role::worker, link);
        ServiceAd ad;
        ad.index = ServiceIndex{1};
        ad.model = "gnn";
        ad.version = version;
        ad.latest = latest;
        ad.max_result_bytes = 1000;
        broker.receive(link, Advertise{{ad}, {}, {}, {}});
        broker.grant(link, 4);
    };
    offer(11, 1, true);
    offer(12, 2, true);
    offer(13, 3, false);
    broker.receive(client, BrokerBench::make_call(1, "gnn"));
    EXPECT_EQ(broker.sent<Call>(12).size(), 1U);
    broker.receive(client, BrokerBench::make_call(2, "gnn/3"));
    EXPECT_EQ(broker.sent<Call>(13).size(), 1U);
    broker.receive(12, Withdraw{{ServiceIndex{1}}});
    broker.receive(client, BrokerBench::make_call(3, "gnn"));
    EXPECT_EQ(broker.sent<Call>(11).size(), 1U);
    broker.receive(11, Withdraw{{ServiceIndex{1}}});
    broker.receive(client, BrokerBench::make_call(4, "gnn"));
    EXPECT_EQ(broker.sent<Call>(13).size(), 1U);  // still the one of "gnn/3"
    EXPECT_EQ(broker.machine.report(broker.now).queues.size(), 4U);
}

/// Not only a beat: whatever a silent worker sends brings it back.
TEST_F(BrokerMachineTest, SilentWorkerIsPassedOverUntilItIsHeard) {
    broker.worker(worker, 2);
    broker.receive(client, Beat{});
    broker.now += Timing{}.suspect_after();
    broker.worker(other, 3);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(client, BrokerBench::make_call(2));
    EXPECT_TRUE(broker.sent<Call>(worker).empty());
    EXPECT_EQ(broker.sent<Call>(other).size(), 2U);
    broker.receive(worker, Started{});
    broker.receive(client, BrokerBench::make_call(3));
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
}

/// Calls that take longer than a clock can say must not look like less than none.
TEST_F(BrokerMachineTest, ABacklogWithoutEndDrawsNoCalls) {
    broker.join(worker, Role::worker, 2);
    Advertise slow;
    Credit room{1, 1 << 20, {}, 0};
    for (const std::uint16_t index : {1, 2, 3}) {
        ServiceAd ad;
        ad.index = ServiceIndex{index};
        ad.model = "slow" + std::to_string(index);
        ad.max_result_bytes = 1000;
        ad.cost = {{1, longest_device_ns}};
        slow.services.push_back(ad);
        room.windows.push_back({ad.index, 4});
    }
    slow.services.back().model = "gnn";
    slow.services.back().cost = {};
    broker.receive(worker, slow);
    broker.receive(worker, room);
    broker.worker(other, 3);
    for (const std::uint64_t number : {3, 4})
        broker.receive(client, BrokerBench::make_call(number));
    for (const std::uint64_t by : {worker, other}) {  // each has had one: none is on trial
        ASSERT_EQ(broker.sent<Call>(by).size(), 1U);
        Answer answer = BrokerBench::make_answer(1);
        answer.key = broker.sent<Call>(by)[0].key;
        answer.timings.run_rows = 1;
        answer.timings.compute_ns = 1'000'000;
        broker.receive(by, answer);
    }
    for (const std::uint64_t number : {1, 2}) {
        Call endless = BrokerBench::make_call(number, "slow" + std::to_string(number));
        endless.rows = UINT32_MAX;
        broker.receive(client, endless);
    }
    ASSERT_EQ(broker.sent<Call>(worker).size(), 3U);
    broker.receive(client, BrokerBench::make_call(5));
    EXPECT_EQ(broker.sent<Call>(other).size(), 2U);
}

/// A run goes on from beat to beat; what is not named any more has ended.
TEST_F(BrokerMachineTest, ARunThatBeatsNameIsOverdueInTheEnd) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(worker, Started{{BrokerBench::key(1)}});
    for (int i = 0; i < 30; ++i) {
        EXPECT_TRUE(broker.sent<Answer>(client).empty()) << i;
        broker.receive(client, Beat{});
        broker.receive(worker, Beat{0, 0, 0, {BrokerBench::key(1)}, {}, {}});
        broker.pass(1s);
    }
    ASSERT_EQ(broker.sent<Answer>(client).size(), 1U);
    EXPECT_EQ(broker.sent<Answer>(client)[0].reason, Reason::run_overdue);
}

TEST_F(BrokerMachineTest, AChunkAboveItsLimitIsRefused) {
    broker.worker(worker, 2);
    Call call = BrokerBench::make_call(1);
    call.chunked = true;
    call.input_bytes = limits::chunk_bytes + 1;
    broker.receive(client, call);
    Chunk chunk{call.key, 0, 0, limits::chunk_bytes + 1, PayloadId{77}};
    broker.receive(client, chunk);
    EXPECT_TRUE(broker.dropped(77));
    ASSERT_EQ(broker.sent<Refused>(client).size(), 1U);
    EXPECT_EQ(broker.sent<Refused>(client)[0].reason, RefusedReason::malformed);
    EXPECT_NE(broker.sent<Refused>(client)[0].detail.find("chunk_bytes"), std::string::npos);
}

// ---- rule 10 ----------------------------------------------------------------------------------

TEST_F(BrokerMachineTest, UnofferedServiceIsRefusedAfterTheGraceTime) {
    const auto grace = no_service_grace(Timing{}, BackOff{});
    broker.receive(client, BrokerBench::make_call(1));
    broker.pass(grace / 2);
    broker.receive(client, Beat{});
    broker.pass(grace - grace / 2 - 1ms);
    EXPECT_TRUE(broker.sent<Answer>(client).empty());
    broker.pass(1ms);
    ASSERT_EQ(broker.sent<Answer>(client).size(), 1U);
    EXPECT_EQ(broker.sent<Answer>(client)[0].reason, Reason::no_service);
}

/// The CALL that comes at the very end of the grace time must not take the queue from under others.
TEST_F(BrokerMachineTest, CallAtTheEndOfTheGraceTimeEndsThoseThatWait) {
    broker.receive(client, BrokerBench::make_call(1));
    broker.now += no_service_grace(Timing{}, BackOff{});
    broker.receive(client, BrokerBench::make_call(2));
    EXPECT_EQ(broker.sent<Answer>(client).size(), 2U);
    EXPECT_EQ(broker.machine.open_call_count(), 0U);
    EXPECT_EQ(broker.machine.queued_bytes(), 0U);
}

// ---- sessions ---------------------------------------------------------------------------------

TEST_F(BrokerMachineTest, MessageBeforeHelloIsRefusedAndItsBytesDropped) {
    broker.receive(9, BrokerBench::make_call(1));
    ASSERT_EQ(broker.sent<Refused>(9).size(), 1U);
    EXPECT_EQ(broker.sent<Refused>(9)[0].reason, RefusedReason::unknown_session);
    EXPECT_TRUE(broker.dropped(1));
    EXPECT_TRUE(broker.closed(9));
}

TEST_F(BrokerMachineTest, OlderEpochIsRefused) {
    broker.join(worker, Role::worker, 2, 5);
    broker.join(other, Role::worker, 2, 4);
    ASSERT_EQ(broker.sent<Refused>(other).size(), 1U);
    EXPECT_EQ(broker.sent<Refused>(other)[0].reason, RefusedReason::old_epoch);
}

TEST_F(BrokerMachineTest, CallsOfALostWorkerEndLost) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(worker, Started{{BrokerBench::key(1)}});
    broker.step(LinkLost{LinkId{worker}});
    broker.pass(Timing{}.suspect_after());
    broker.receive(client, Beat{});
    broker.pass(Timing{}.suspect_after());
    const auto answers = broker.sent<Answer>(client);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].outcome, Outcome::lost);
    EXPECT_TRUE(answers[0].was_running);
}

TEST_F(BrokerMachineTest, SilenceIsNoDeath) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(worker, Started{{BrokerBench::key(1)}});
    for (int i = 0; i < 5; ++i) {
        broker.receive(client, Beat{});
        broker.pass(1s);
    }
    ASSERT_EQ(broker.sent<Answer>(client).size(), 1U);
    EXPECT_FALSE(broker.sent<Answer>(client)[0].was_running);
}

/// Behind a partition a living worker gives up its connection: that is no death either.
TEST_F(BrokerMachineTest, ConnectionClosedAfterSilenceIsNoDeath) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(worker, Started{{BrokerBench::key(1)}});
    for (int i = 0; i < 3; ++i) {
        broker.receive(client, Beat{});
        broker.pass(1s);
    }
    broker.step(LinkLost{LinkId{worker}});
    broker.receive(client, Beat{});
    broker.pass(1s);
    ASSERT_EQ(broker.sent<Answer>(client).size(), 1U);
    EXPECT_FALSE(broker.sent<Answer>(client)[0].was_running);
}

TEST_F(BrokerMachineTest, ResumedWorkerKeepsWhatItListsAndReturnsTheRest) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(client, BrokerBench::make_call(2));
    broker.join(other, Role::worker, 2, 1, {BrokerBench::key(1)});  // before the break was noticed
    EXPECT_TRUE(broker.closed(worker));
    EXPECT_EQ(broker.sent<Welcome>(other).at(0).known, std::vector{BrokerBench::key(1)});
    const auto answers = broker.sent<Answer>(client);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].key, BrokerBench::key(2));
    EXPECT_EQ(answers[0].outcome, Outcome::not_started);
}

/// A transfer does not survive a break, also when its broker hears of the break from HELLO only.
TEST_F(BrokerMachineTest, ClientThatComesBackFirstDoesNotFindItsTransferKnown) {
    broker.worker(worker, 2);
    Call call = BrokerBench::make_call(1);
    broker.receive(client, call);
    Answer answer = BrokerBench::make_answer(1);
    answer.chunked = true;
    answer.streamed_bytes = 5'000'000;
    broker.receive(worker, answer);
    broker.join(other, Role::client, 1, 1, {BrokerBench::key(1)});
    EXPECT_TRUE(broker.sent<Welcome>(other).at(0).known.empty());
    EXPECT_EQ(broker.machine.open_call_count(), 0U);
}

TEST_F(BrokerMachineTest, AnswerForADetachedClientWaitsForIt) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.step(LinkLost{LinkId{client}});
    broker.receive(worker, BrokerBench::make_answer(1));
    broker.join(other, Role::client, 1, 1, {BrokerBench::key(1)});
    EXPECT_EQ(broker.sent<Welcome>(other).at(0).known, std::vector{BrokerBench::key(1)});
    EXPECT_EQ(broker.sent<Answer>(other).size(), 1U);
}

// ---- workers ----------------------------------------------------------------------------------

TEST_F(BrokerMachineTest, DrainingWorkerGetsNoCalls) {
    broker.worker(worker, 2);
    broker.receive(worker, Drain{});
    broker.receive(client, BrokerBench::make_call(1));
    EXPECT_TRUE(broker.sent<Call>(worker).empty());
}

TEST_F(BrokerMachineTest, BeatOfASuspectWorkerServesTheQueue) {
    broker.worker(worker, 2);
    broker.now += Timing{}.suspect_after();
    broker.receive(client, BrokerBench::make_call(1));
    EXPECT_TRUE(broker.sent<Call>(worker).empty());
    broker.receive(worker, Beat{});
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
}

/// A probe that ended without a RESULT kept its service out of rotation for ever.
TEST_F(BrokerMachineTest, ProbeThatABreakSwallowedIsFollowedByAnother) {
    broker.worker(worker, 2);
    broker.worker(other, 3, 0);  // one of one is never taken out of rotation
    broker.receive(client, BrokerBench::make_call(1));
    broker.receive(worker, BrokerBench::make_answer(1, Outcome::device_fault));
    broker.receive(client, Beat{});
    broker.now += 1s;
    broker.receive(worker, Beat{});
    broker.receive(client, BrokerBench::make_call(2));
    ASSERT_EQ(broker.sent<Call>(worker).size(), 2U);
    broker.join(20, Role::worker, 2);  // it lists nothing: the probe never arrived
    broker.grant(20, 4);
    broker.receive(client, BrokerBench::make_call(3));
    EXPECT_EQ(broker.sent<Call>(20).size(), 1U);
}

TEST_F(BrokerMachineTest, LargeCallWaitsForTheBulkSocketOfItsWorker) {
    broker.worker(worker, 2);
    Call call = BrokerBench::make_call(1);
    call.chunked = true;
    broker.receive(client, call);
    EXPECT_TRUE(broker.sent<Call>(worker).empty());
    const Welcome welcome = broker.sent<Welcome>(worker).at(0);
    PeerAppeared bulk;
    bulk.link = LinkId{50};
    bulk.bulk = true;
    broker.step(bulk);
    broker.receive(50, Attach{welcome.session, welcome.bulk_secret});
    EXPECT_EQ(broker.sent<Call>(worker).size(), 1U);
}

TEST_F(BrokerMachineTest, DrainedBrokerSaysGoodbyeWhenItsCallsAreDone) {
    broker.worker(worker, 2);
    broker.receive(client, BrokerBench::make_call(1));
    broker.step(DrainRequested{});
    broker.receive(client, BrokerBench::make_call(2));
    EXPECT_EQ(broker.sent<Answer>(client).at(0).reason, Reason::draining);
    EXPECT_TRUE(broker.sent<Goodbye>(client).empty());
    broker.receive(worker, BrokerBench::make_answer(1));
    EXPECT_EQ(broker.sent<Goodbye>(client).size(), 1U);
    EXPECT_EQ(broker.sent<Goodbye>(worker).size(), 1U);
}

}  // namespace
}  // namespace farm
