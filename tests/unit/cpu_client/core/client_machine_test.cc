#include "cpu_client/core/client_machine.h"

#include "tests/unit/cpu_client/core/client_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

// ---- submitting and answering -----------------------------------------------------------------

TEST(ClientMachineTest, CallWaitsForSessionThenEndsOkWithItsAnswer) {
    ClientBench bench;
    bench.step(bench.call(1));
    EXPECT_EQ(bench.sent<Call>(), nullptr);
    bench.connect();
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 1);
    EXPECT_EQ(bench.sent<Call>()->remaining_ms, 60'000U);

    const Answer answer = bench.answer(1);
    bench.answers(answer);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::ok);
    EXPECT_EQ(bench.completed(1)->payload, answer.payload);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, SmallerPriorityNumberGoesFirst) {
    ClientBench bench;
    Submit later = bench.call(1);
    Submit urgent = bench.call(2);
    urgent.priority = 10;
    bench.step(later);
    bench.step(urgent);
    bench.connect();
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    EXPECT_EQ(bench.sent<Call>()->key.id, later.id);
}

TEST(ClientMachineTest, DuplicateAndLateAnswersAreDropped) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.answers(bench.answer(1));
    bench.answers(bench.answer(1));
    bench.answers(bench.answer(99));
    EXPECT_EQ(bench.count<Complete>(), 1U);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, AnswerOfEarlierAttemptIsDropped) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.answers(bench.answer(1, Outcome::retryable_fault));
    ASSERT_EQ(bench.sent<Call>()->key.attempt, 2);
    bench.answers(bench.answer(1));
    EXPECT_EQ(bench.completed(1), nullptr);
    bench.answers(bench.answer(1, Outcome::ok, Reason::none, 2));
    EXPECT_EQ(bench.completed(1)->status, CallStatus::ok);
    EXPECT_EQ(bench.completed(1)->attempts, 2);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, SessionHoldsNoMoreThanItsLimitOfCalls) {
    ClientBench bench;
    bench.connect();
    const std::size_t limit = limits::open_calls_per_session_count;
    for (std::uint64_t i = 0; i < limit + 5; ++i) bench.step(bench.call(i));
    EXPECT_EQ(bench.sent_count<Call>(), limit);
    bench.answers(bench.answer(0));
    EXPECT_EQ(bench.sent_count<Call>(), limit + 1);
}

TEST(ClientMachineTest, FullClientAnswersOverloadedAtOnce) {
    ClientBench bench;
    Submit first = bench.call(1);
    first.input_bytes = limits::waiting_bytes_per_client;
    bench.step(first);
    bench.step(bench.call(2));
    ASSERT_NE(bench.completed(2), nullptr);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::overloaded);
    EXPECT_GT(bench.completed(2)->retry_after_ms, 0U);
    EXPECT_EQ(bench.completed(1), nullptr);
}

TEST(ClientMachineTest, TooManyWaitingCallsAreOverloaded) {
    ClientBench bench;
    for (std::uint64_t i = 0; i < limits::waiting_calls_per_client_count; ++i) {
        bench.step(bench.call(i));
    }
    EXPECT_EQ(bench.count<Complete>(), 0U);
    bench.step(bench.call(1'000'000));
    EXPECT_EQ(bench.completed(1'000'000)->status, CallStatus::overloaded);
}

TEST(ClientMachineTest, BadNameTooLargeAndExpiredAreRefusedAtOnce) {
    ClientBench bench;
    Submit bad_name = bench.call(1);
    bad_name.service = "no such/name/x";
    Submit too_large = bench.call(2);
    too_large.input_bytes = limits::call_bytes + 1;
    Submit expired = bench.call(3, -1ms);
    for (const Submit& submit : {bad_name, too_large, expired}) bench.step(submit);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::invalid);
    EXPECT_EQ(bench.completed(2)->status, CallStatus::invalid);
    EXPECT_NE(bench.completed(2)->detail.find("4294967297"), std::string::npos);
    EXPECT_EQ(bench.completed(3)->status, CallStatus::deadline);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, CallAboveTheBrokersLimitIsInvalidWithBothSizes) {
    ClientBench bench;
    Welcome welcome;
    welcome.max_call_bytes = 50;
    bench.connect(welcome);
    bench.step(bench.call(1));
    EXPECT_EQ(bench.completed(1)->status, CallStatus::invalid);
    EXPECT_NE(bench.completed(1)->detail.find("100 bytes"), std::string::npos);
    EXPECT_NE(bench.completed(1)->detail.find("50 bytes"), std::string::npos);
}

// ---- deadline and cancel (rules 1 and 6) ------------------------------------------------------

TEST(ClientMachineTest, DeadlineEndsTheCallAndCancelsItAtTheBroker) {
    ClientBench bench;
    bench.connect();
    const Submit submit = bench.call(1, 300ms);
    bench.step(submit);
    EXPECT_EQ(bench.machine.next_deadline(), submit.deadline);
    bench.advance(300ms);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::deadline);
    ASSERT_NE(bench.sent<Cancel>(), nullptr);
    EXPECT_EQ(bench.sent<Cancel>()->id, submit.id);
    bench.answers(bench.answer(1));
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, CancelEndsTheCallAtOnce) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(CancelCall{CallId::from_words(1, 1)});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::cancelled);
    EXPECT_EQ(bench.sent_count<Cancel>(), 1U);
    bench.step(CancelCall{CallId::from_words(1, 1)});
    EXPECT_EQ(bench.sent_count<Cancel>(), 1U);
}

TEST(ClientMachineTest, CancelOfWaitingCallTellsNobody) {
    ClientBench bench;
    bench.step(bench.call(1));
    bench.step(CancelCall{CallId::from_words(1, 1)});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::cancelled);
    bench.connect();
    EXPECT_EQ(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.sent<Cancel>(), nullptr);
}

TEST(ClientMachineTest, ShutdownEndsEverythingAndSaysGoodbye) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(Ask{5, Status{}, bench.now + 10s});
    bench.step(Shutdown{});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::cancelled);
    EXPECT_FALSE(bench.last<Reply>()->problem.empty());
    EXPECT_NE(bench.sent<Goodbye>(), nullptr);
    EXPECT_NE(bench.last<CloseLink>(), nullptr);
    EXPECT_FALSE(bench.machine.next_deadline().has_value());
    bench.step(bench.call(2));
    EXPECT_EQ(bench.completed(2)->status, CallStatus::cancelled);
    EXPECT_EQ(bench.held_count(), 0U);
}

// ---- attempts (rules 4 and 7) -----------------------------------------------------------------

TEST(ClientMachineTest, FaultIsTriedElsewhereThreeTimesInAll) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    for (std::uint8_t attempt = 1; attempt <= 3; ++attempt) {
        ASSERT_EQ(bench.sent<Call>()->key.attempt, attempt);
        EXPECT_EQ(bench.sent<Call>()->avoid, attempt == 1 ? SessionId{} : SessionId{50});
        Answer fault = bench.answer(1, Outcome::device_fault, Reason::backend_error, attempt);
        fault.detail = "CUDA error 700";
        bench.answers(fault);
    }
    EXPECT_EQ(bench.completed(1)->status, CallStatus::internal);
    EXPECT_EQ(bench.completed(1)->detail, "CUDA error 700");
    EXPECT_EQ(bench.completed(1)->attempts, 3);
    EXPECT_EQ(bench.sent_count<Call>(), 3U);
}

TEST(ClientMachineTest, NotIdempotentCallIsRepeatedOnlyWhenItDidNotStart) {
    ClientBench bench;
    bench.connect();
    Submit submit = bench.call(1);
    submit.idempotent = false;
    bench.step(submit);
    bench.answers(bench.answer(1, Outcome::not_started, Reason::worker_lost));
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    bench.answers(bench.answer(1, Outcome::lost, Reason::worker_lost, 2));
    EXPECT_EQ(bench.completed(1)->status, CallStatus::worker_lost);
    EXPECT_NE(bench.completed(1)->detail.find("may have run"), std::string::npos);
}

TEST(ClientMachineTest, ServiceThatIsNotRepeatableIsNotRepeated) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    Answer fault = bench.answer(1, Outcome::retryable_fault);
    fault.repeatable = false;
    bench.answers(fault);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::internal);
}

TEST(ClientMachineTest, SuspectThatDiesAloneIsPoisonAndGoesToQuarantine) {
    ClientBench bench;
    bench.connect();
    const Submit submit = bench.call(1);
    bench.step(submit);
    EXPECT_FALSE(bench.sent<Call>()->suspect);
    Answer died = bench.answer(1, Outcome::lost, Reason::worker_lost);
    died.was_running = true;
    bench.answers(died);
    EXPECT_TRUE(bench.sent<Call>()->suspect);
    died.key.attempt = 2;
    bench.answers(died);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::poison);
    ASSERT_NE(bench.last<Quarantine>(), nullptr);
    EXPECT_EQ(bench.last<Quarantine>()->payload, submit.payload);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, LostWithoutHavingRunIsNoSuspect) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    for (std::uint8_t attempt = 1; attempt <= 3; ++attempt) {
        EXPECT_FALSE(bench.sent<Call>()->suspect);
        bench.answers(bench.answer(1, Outcome::lost, Reason::worker_lost, attempt));
    }
    EXPECT_EQ(bench.completed(1)->status, CallStatus::worker_lost);
    EXPECT_EQ(bench.count<Quarantine>(), 0U);
}

TEST(ClientMachineTest, OverloadedWaitsAsToldWhenTheDeadlineAllows) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1, 1s));
    Answer full = bench.answer(1, Outcome::not_started, Reason::overloaded);
    full.retry_after_ms = 400;
    bench.answers(full);
    bench.advance(399ms);
    EXPECT_EQ(bench.sent_count<Call>(), 1U);
    bench.advance(1ms);
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    full.key.attempt = 2;
    full.retry_after_ms = 700;
    bench.answers(full);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::overloaded);
    EXPECT_EQ(bench.completed(1)->retry_after_ms, 700U);
}

TEST(ClientMachineTest, RetriesBeyondTheBudgetWaitForIt) {
    ClientBench bench;
    bench.connect();
    for (std::uint64_t i = 0; i < 400; ++i) bench.step(bench.call(i));
    for (std::uint64_t i = 0; i < 400; ++i) {
        bench.answers(bench.answer(i, Outcome::lost, Reason::worker_lost));
    }
    // 256 at first and a fifth of 400 calls.
    EXPECT_EQ(bench.sent_count<Call>(), 400U + 256U + 80U);
    bench.run_for(1s);
    EXPECT_EQ(bench.sent_count<Call>(), 400U + 256U + 80U + 10U);
}

TEST(ClientMachineTest, DrainingBrokerIsLeftWithoutCostingAnAttempt) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.connect();
    const std::uint16_t first = bench.address;
    bench.step(bench.call(1));
    Answer leaving = bench.answer(1, Outcome::not_started, Reason::draining);
    leaving.worker = SessionId{};
    bench.answers(leaving);
    EXPECT_NE(bench.sent<Goodbye>(), nullptr);
    bench.connect();
    EXPECT_NE(bench.address, first);
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 1);
}

// ---- sessions and breaks ----------------------------------------------------------------------

TEST(ClientMachineTest, ResumedSessionSendsAgainOnlyWhatTheBrokerLacks) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(bench.call(2));
    bench.step(LinkLost{bench.link});
    bench.connecting = false;
    bench.advance(100ms);
    bench.step(LinkOpened{bench.link});
    EXPECT_EQ(bench.sent<Hello>()->open.size(), 2U);
    Welcome welcome;
    welcome.session = SessionId{7};
    welcome.broker = PeerId::from_words(9, 9);
    welcome.known = {{CallId::from_words(1, 1), 1}};
    bench.from_broker(welcome);
    EXPECT_EQ(bench.sent_count<Call>(), 3U);
    EXPECT_EQ(bench.sent<Call>()->key, (CallKey{CallId::from_words(1, 2), 1}));
    bench.answers(bench.answer(1));
    bench.answers(bench.answer(2));
    EXPECT_EQ(bench.completed(1)->status, CallStatus::ok);
    EXPECT_EQ(bench.completed(2)->attempts, 1);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, AnotherBrokerGetsIdempotentCallsAgainAndOthersEnd) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.connect();
    const std::uint16_t first = bench.address;
    Submit once = bench.call(1);
    once.idempotent = false;
    bench.step(once);
    bench.step(bench.call(2));
    bench.run_for(4s);  // silence
    EXPECT_NE(bench.last<CloseLink>(), nullptr);
    Submit waiting = bench.call(3);  // has not left, so it may
    waiting.idempotent = false;
    bench.step(waiting);
    Welcome other;
    other.broker = PeerId::from_words(8, 8);
    bench.connect(other);
    EXPECT_NE(bench.address, first);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::worker_lost);
    EXPECT_EQ(bench.completed(2), nullptr);
    EXPECT_EQ(bench.completed(3), nullptr);
    EXPECT_EQ(bench.sent_count<Call>(), 4U);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 1);
}

TEST(ClientMachineTest, BeatsGoOutAndAnyTrafficIsLife) {
    ClientBench bench;
    bench.connect();
    for (int i = 0; i < 10; ++i) {
        bench.advance(1s);
        bench.from_broker(Beat{});
    }
    EXPECT_EQ(bench.sent_count<Beat>(), 10U);
    EXPECT_EQ(bench.count<CloseLink>(), 0U);
    bench.run_for(4s);
    EXPECT_EQ(bench.count<CloseLink>(), 1U);
    EXPECT_FALSE(bench.machine.has_session());
}

TEST(ClientMachineTest, UnknownSessionIsReopenedAtTheSameBroker) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.connect();
    const std::uint16_t first = bench.address;
    bench.step(bench.call(1));
    bench.from_broker(Refused{RefusedReason::unknown_session, ""});
    bench.connect();
    EXPECT_EQ(bench.address, first);
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    EXPECT_EQ(bench.completed(1), nullptr);
}

TEST(ClientMachineTest, FullBrokerIsPassedOver) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.step(Tick{});
    const std::uint16_t first = bench.address;
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::too_many_sessions, "120000 sessions"});
    bench.connect();
    EXPECT_NE(bench.address, first);
}

TEST(ClientMachineTest, UnauthorizedByAllBrokersEndsCallsWithTheText) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.step(bench.call(1));
    bench.step(Tick{});
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::unauthorized, "key abc is not in the list"});
    EXPECT_EQ(bench.completed(1), nullptr);  // the other broker may allow it
    bench.step(Tick{});
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::unauthorized, "key abc is not in the list"});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unauthorized);
    EXPECT_NE(bench.completed(1)->detail.find("key abc"), std::string::npos);
}

TEST(ClientMachineTest, OtherProtocolVersionIsUnavailableWithTheText) {
    ClientBench bench;
    bench.step(bench.call(1));
    bench.step(Tick{});
    bench.step(LinkOpened{bench.link});
    bench.from_broker(Refused{RefusedReason::protocol_version, "this broker speaks 9"});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
    EXPECT_NE(bench.completed(1)->detail.find("speaks 9"), std::string::npos);
}

TEST(ClientMachineTest, NoBrokerEndsUnavailableNamingAddressesAndTime) {
    ClientBench bench({"tcp://a:5600", "tcp://b:5600"});
    bench.step(bench.call(1));
    bench.run_for(9999ms);
    EXPECT_EQ(bench.completed(1), nullptr);
    bench.run_for(1ms);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
    for (const char* text : {"tcp://a:5600", "tcp://b:5600", "10.0 s"}) {
        EXPECT_NE(bench.completed(1)->detail.find(text), std::string::npos) << text;
    }
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, NoBrokerBeforeAShortDeadlineIsUnavailableAtTheDeadline) {
    ClientBench bench;
    bench.step(bench.call(1, 500ms));
    bench.run_for(500ms);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
}

TEST(ClientMachineTest, CallsSurviveARestartingBrokerForGiveUpAfterFromTheBreak) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    for (int i = 0; i < 20; ++i) {
        bench.advance(1s);
        bench.from_broker(Beat{});
    }
    bench.step(LinkLost{bench.link});
    bench.connecting = false;
    bench.run_for(9s);
    EXPECT_EQ(bench.completed(1), nullptr);
    bench.run_for(1s);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::unavailable);
}

TEST(ClientMachineTest, OneAddressIsTriedAgainWithGrowingPauses) {
    ClientBench bench;
    bench.step(bench.call(1));
    std::vector<Duration> pauses;
    for (int i = 0; i < 8; ++i) {
        bench.step(Tick{});
        const LinkId link = bench.link;
        bench.step(LinkLost{link});
        const TimePoint lost = bench.now;
        pauses.push_back(*bench.machine.next_deadline() - lost);
        bench.now = *bench.machine.next_deadline();
    }
    EXPECT_LE(pauses.front(), 50ms);
    EXPECT_GE(pauses.back(), 1000ms);
    EXPECT_LE(pauses.back(), 2000ms);
}

// ---- large calls ------------------------------------------------------------------------------

constexpr std::uint64_t mebibyte = 1024 * 1024;

Submit large_call(ClientBench& bench) {
    Submit submit = bench.call(1);
    submit.input_bytes = 6 * mebibyte;
    submit.large = {{0, 4 * mebibyte}, {2, 2 * mebibyte}};
    return submit;
}

TEST(ClientMachineTest, LargeCallWaitsForBulkAndStreamsBelowTheGrant) {
    ClientBench bench;
    bench.connect();
    const Submit submit = large_call(bench);
    bench.step(submit);
    EXPECT_NE(bench.last<OpenBulk>(), nullptr);
    EXPECT_EQ(bench.sent<Call>(), nullptr);
    bench.from_broker(Attach{SessionId{7}, {}});
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_TRUE(bench.sent<Call>()->chunked);
    EXPECT_EQ(bench.sent<Call>()->streamed_bytes, 6 * mebibyte);
    EXPECT_EQ(bench.count<TransmitChunk>(), 0U);

    bench.from_broker(Send{{submit.id, 1}, 5 * mebibyte});
    EXPECT_EQ(bench.count<TransmitChunk>(), 5U);
    EXPECT_EQ(bench.last<TransmitChunk>()->tensor, 2);
    EXPECT_EQ(bench.last<TransmitChunk>()->frame, 1);
    EXPECT_EQ(bench.last<TransmitChunk>()->offset, 0U);
    bench.from_broker(Send{{submit.id, 2}, 6 * mebibyte});  // another attempt: not ours
    EXPECT_EQ(bench.count<TransmitChunk>(), 5U);
    bench.from_broker(Send{{submit.id, 1}, 100 * mebibyte});
    EXPECT_EQ(bench.count<TransmitChunk>(), 6U);
}

TEST(ClientMachineTest, SmallCallsPassLargeOnesThatWaitForBulk) {
    ClientBench bench;
    bench.connect();
    bench.step(large_call(bench));
    bench.step(bench.call(2));
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.sent<Call>()->key.id, CallId::from_words(1, 2));
}

Chunk chunk_of(ClientBench& bench, std::uint64_t offset, std::uint32_t length = mebibyte) {
    Chunk chunk;
    chunk.key = {CallId::from_words(1, 1), 1};
    chunk.tensor = 1;
    chunk.offset = offset;
    chunk.length = length;
    chunk.payload = bench.fresh_payload();
    return chunk;
}

Answer start_large_answer(ClientBench& bench) {
    bench.connect();
    bench.step(bench.call(1));
    Answer answer = bench.answer(1);
    answer.chunked = true;
    bench.answers(answer, {{1, 3 * mebibyte}});
    return answer;
}

TEST(ClientMachineTest, LargeAnswerIsAllocatedGrantedAndStored) {
    ClientBench bench;
    const Answer answer = start_large_answer(bench);
    ASSERT_NE(bench.last<AllocateFrames>(), nullptr);
    EXPECT_EQ(bench.last<AllocateFrames>()->payload, answer.payload);
    EXPECT_EQ(bench.sent<Send>(), nullptr);  // the bulk socket is not there yet
    bench.from_broker(Attach{SessionId{7}, {}});
    ASSERT_NE(bench.sent<Send>(), nullptr);
    EXPECT_EQ(bench.sent<Send>()->granted_bytes, 3 * mebibyte);
    for (std::uint64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(bench.completed(1), nullptr);
        bench.from_broker(chunk_of(bench, i * mebibyte));
    }
    EXPECT_EQ(bench.count<StoreChunk>(), 3U);
    EXPECT_EQ(bench.last<StoreChunk>()->into, answer.payload);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->payload, answer.payload);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, ChunksThatDoNotFitCostTheAttempt) {
    ClientBench bench;
    start_large_answer(bench);
    bench.from_broker(Attach{SessionId{7}, {}});
    bench.from_broker(chunk_of(bench, 2 * mebibyte));
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    EXPECT_EQ(bench.held_count(), 1U);  // the inputs
}

TEST(ClientMachineTest, WorkerThatIsLostInALargeAnswerCostsTheAttempt) {
    ClientBench bench;
    start_large_answer(bench);
    bench.from_broker(Attach{SessionId{7}, {}});
    bench.from_broker(chunk_of(bench, 0));
    bench.answers(bench.answer(1, Outcome::lost, Reason::worker_lost));
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    EXPECT_EQ(bench.held_count(), 1U);  // the inputs
}

TEST(ClientMachineTest, BreakInALargeAnswerDropsItAndAsksAgain) {
    ClientBench bench;
    start_large_answer(bench);
    bench.from_broker(Attach{SessionId{7}, {}});
    bench.from_broker(chunk_of(bench, 0));
    bench.step(LinkLost{bench.link});
    EXPECT_EQ(bench.held_count(), 1U);
    bench.connecting = false;
    bench.connect();
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 1);
}

TEST(ClientMachineTest, ResultAboveWhatTheCallTakesIsInvalid) {
    ClientBench bench;
    bench.connect();
    Submit submit = bench.call(1);
    submit.max_result_bytes = mebibyte;
    bench.step(submit);
    Answer answer = bench.answer(1);
    answer.chunked = true;
    bench.answers(answer, {{1, 3 * mebibyte}});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::invalid);
    EXPECT_EQ(bench.count<AllocateFrames>(), 0U);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientMachineTest, BulkSocketThatIsNeverAcceptedEndsTheSession) {
    ClientBench bench;
    bench.connect();
    bench.step(large_call(bench));
    bench.run_for(2s);
    EXPECT_EQ(bench.count<CloseLink>(), 1U);
}

// ---- questions --------------------------------------------------------------------------------

TEST(ClientMachineTest, AnswersGoToTheQuestionsOfTheirKindInOrder) {
    ClientBench bench;
    bench.step(Ask{1, List{}, bench.now + 10s});
    bench.step(Ask{2, Status{}, bench.now + 10s});
    bench.step(Ask{3, List{}, bench.now + 10s});
    bench.connect();
    bench.from_broker(StatusReport{});
    EXPECT_EQ(bench.last<Reply>()->ticket, 2U);
    bench.from_broker(Catalog{});
    EXPECT_EQ(bench.last<Reply>()->ticket, 1U);
    bench.from_broker(Catalog{});
    EXPECT_EQ(bench.last<Reply>()->ticket, 3U);
    bench.from_broker(Catalog{});
    EXPECT_EQ(bench.count<Reply>(), 3U);
}

TEST(ClientMachineTest, LateAnswerDoesNotGoToTheNextQuestion) {
    ClientBench bench;
    bench.connect();
    bench.step(Ask{1, List{}, bench.now + 100ms});
    bench.advance(100ms);
    EXPECT_FALSE(bench.last<Reply>()->answer.has_value());
    bench.step(Ask{2, List{}, bench.now + 10s});
    bench.from_broker(Catalog{{}, 1});
    EXPECT_EQ(bench.count<Reply>(), 1U);
    bench.from_broker(Catalog{{}, 2});
    EXPECT_EQ(bench.last<Reply>()->ticket, 2U);
}

TEST(ClientMachineTest, RefusedDrainIsToldAndCostsNoCall) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(Ask{1, Drain{"w1"}, bench.now + 10s});
    bench.from_broker(Refused{RefusedReason::unauthorized, "admins only"});
    EXPECT_NE(bench.last<Reply>()->problem.find("admins only"), std::string::npos);
    EXPECT_TRUE(bench.machine.has_session());
    EXPECT_EQ(bench.completed(1), nullptr);
}

TEST(ClientMachineTest, QuestionWithoutBrokerIsAnsweredUnreachable) {
    ClientBench bench;
    bench.step(Ask{1, Status{}, bench.now + 60s});
    bench.run_for(10s);
    ASSERT_NE(bench.last<Reply>(), nullptr);
    EXPECT_NE(bench.last<Reply>()->problem.find("tcp://a:5600"), std::string::npos);
}

TEST(ClientMachineTest, PayloadsOfUnwantedMessagesAreDropped) {
    ClientBench bench;
    bench.connect();
    Call call;
    call.payload = bench.fresh_payload();
    bench.from_broker(call);
    bench.from_broker(chunk_of(bench, 0));
    bench.step(Received{LinkId{99}, chunk_of(bench, 0)});
    bench.from_broker(bench.answer(1));
    EXPECT_EQ(bench.held_count(), 0U);
}

}  // namespace
}  // namespace farm
