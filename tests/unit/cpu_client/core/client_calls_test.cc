// What becomes of a call: sent, answered, late, cancelled, tried again.
#include "cpu_client/core/client_machine.h"

#include "tests/unit/cpu_client/core/client_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

// ---- submitting and answering -----------------------------------------------------------------

TEST(ClientCallsTest, CallWaitsForSessionThenEndsOkWithItsAnswer) {
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

TEST(ClientCallsTest, SmallerPriorityNumberGoesFirst) {
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

TEST(ClientCallsTest, DuplicateAndLateAnswersAreDropped) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.answers(bench.answer(1));
    bench.answers(bench.answer(1));
    bench.answers(bench.answer(99));
    EXPECT_EQ(bench.count<Complete>(), 1U);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientCallsTest, AnswerOfEarlierAttemptIsDropped) {
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

TEST(ClientCallsTest, SessionHoldsNoMoreThanItsLimitOfCalls) {
    ClientBench bench;
    bench.connect();
    const std::size_t limit = limits::open_calls_per_session_count;
    for (std::uint64_t i = 0; i < limit + 5; ++i) bench.step(bench.call(i));
    EXPECT_EQ(bench.sent_count<Call>(), limit);
    bench.answers(bench.answer(0));
    EXPECT_EQ(bench.sent_count<Call>(), limit + 1);
}

TEST(ClientCallsTest, FullClientAnswersOverloadedAtOnce) {
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

TEST(ClientCallsTest, TooManyWaitingCallsAreOverloaded) {
    ClientBench bench;
    for (std::uint64_t i = 0; i < limits::waiting_calls_per_client_count; ++i) {
        bench.step(bench.call(i));
    }
    EXPECT_EQ(bench.count<Complete>(), 0U);
    bench.step(bench.call(1'000'000));
    EXPECT_EQ(bench.completed(1'000'000)->status, CallStatus::overloaded);
}

TEST(ClientCallsTest, BadNameTooLargeAndExpiredAreRefusedAtOnce) {
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

TEST(ClientCallsTest, CallAboveTheBrokersLimitIsInvalidWithBothSizes) {
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

TEST(ClientCallsTest, DeadlineEndsTheCallAndCancelsItAtTheBroker) {
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

TEST(ClientCallsTest, CancelEndsTheCallAtOnce) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    bench.step(CancelCall{CallId::from_words(1, 1)});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::cancelled);
    EXPECT_EQ(bench.sent_count<Cancel>(), 1U);
    bench.step(CancelCall{CallId::from_words(1, 1)});
    EXPECT_EQ(bench.sent_count<Cancel>(), 1U);
}

TEST(ClientCallsTest, CancelOfWaitingCallTellsNobody) {
    ClientBench bench;
    bench.step(bench.call(1));
    bench.step(CancelCall{CallId::from_words(1, 1)});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::cancelled);
    bench.connect();
    EXPECT_EQ(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.sent<Cancel>(), nullptr);
}

TEST(ClientCallsTest, ShutdownEndsEverythingAndSaysGoodbye) {
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

TEST(ClientCallsTest, FaultIsTriedElsewhereThreeTimesInAll) {
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

TEST(ClientCallsTest, NotIdempotentCallIsRepeatedOnlyWhenItDidNotStart) {
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

TEST(ClientCallsTest, ServiceThatIsNotRepeatableIsNotRepeated) {
    ClientBench bench;
    bench.connect();
    bench.step(bench.call(1));
    Answer fault = bench.answer(1, Outcome::retryable_fault);
    fault.repeatable = false;
    bench.answers(fault);
    EXPECT_EQ(bench.completed(1)->status, CallStatus::internal);
}

TEST(ClientCallsTest, SuspectThatDiesAloneIsPoisonAndGoesToQuarantine) {
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

TEST(ClientCallsTest, LostWithoutHavingRunIsNoSuspect) {
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

TEST(ClientCallsTest, OverloadedWaitsAsToldWhenTheDeadlineAllows) {
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

TEST(ClientCallsTest, RetriesBeyondTheBudgetWaitForIt) {
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

TEST(ClientCallsTest, DrainingBrokerIsLeftWithoutCostingAnAttempt) {
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

}  // namespace
}  // namespace farm
