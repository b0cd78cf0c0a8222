#include "cpu_client/core/attempt_verdict.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

struct Case {
    Outcome outcome;
    Reason reason;
    CallStatus status;
};

std::string name_of(const Case& example) {
    return std::string(to_string(example.outcome)) + "/" + std::string(to_string(example.reason));
}

TEST(AttemptVerdictTest, FinalOutcomesBecomeTheirStatus) {
    const Case cases[] = {
        {Outcome::ok, Reason::none, CallStatus::ok},
        {Outcome::not_started, Reason::no_service, CallStatus::no_service},
        {Outcome::not_started, Reason::deadline, CallStatus::deadline},
        {Outcome::not_started, Reason::unauthorized, CallStatus::unauthorized},
        {Outcome::input_error, Reason::bad_input, CallStatus::invalid},
        {Outcome::input_error, Reason::too_large, CallStatus::invalid},
        {Outcome::input_error, Reason::none, CallStatus::invalid},
        {Outcome::retryable_fault, Reason::deadline, CallStatus::deadline},
    };
    for (const Case& example : cases) {
        Answer answer;
        answer.outcome = example.outcome;
        answer.reason = example.reason;
        const Verdict verdict = judge(OpenCall{}, answer);
        const auto* finish = std::get_if<Finish>(&verdict);
        ASSERT_NE(finish, nullptr) << name_of(example);
        EXPECT_EQ(finish->status, example.status) << name_of(example);
        EXPECT_EQ(finish->detail.empty(), example.status == CallStatus::ok) << name_of(example);
    }
}

TEST(AttemptVerdictTest, RepeatableOutcomesNameTheStatusForTheLastTime) {
    const Case cases[] = {
        {Outcome::not_started, Reason::overloaded, CallStatus::overloaded},
        {Outcome::not_started, Reason::draining, CallStatus::overloaded},
        {Outcome::not_started, Reason::worker_lost, CallStatus::worker_lost},
        {Outcome::not_started, Reason::none, CallStatus::internal},
        {Outcome::retryable_fault, Reason::run_overdue, CallStatus::internal},
        {Outcome::device_fault, Reason::backend_error, CallStatus::internal},
        {Outcome::lost, Reason::worker_lost, CallStatus::worker_lost},
    };
    for (const Case& example : cases) {
        Answer answer;
        answer.outcome = example.outcome;
        answer.reason = example.reason;
        answer.worker = SessionId{4};
        answer.detail = "as the worker said";
        const Verdict verdict = judge(OpenCall{}, answer);
        const auto* again = std::get_if<TryAgain>(&verdict);
        ASSERT_NE(again, nullptr) << name_of(example);
        EXPECT_EQ(again->otherwise.status, example.status) << name_of(example);
        EXPECT_EQ(again->otherwise.detail, "as the worker said") << name_of(example);
        EXPECT_EQ(again->avoid, SessionId{4}) << name_of(example);
    }
}

TEST(AttemptVerdictTest, DrainingWithoutWorkerIsTheBroker) {
    Answer answer;
    answer.outcome = Outcome::not_started;
    answer.reason = Reason::draining;
    EXPECT_TRUE(std::holds_alternative<BrokerLeaves>(judge(OpenCall{}, answer)));
}

TEST(AttemptVerdictTest, OnlyASuspectThatWasRunningIsPoison) {
    Answer answer;
    answer.outcome = Outcome::lost;
    answer.was_running = true;
    OpenCall call;
    EXPECT_TRUE(std::get<TryAgain>(judge(call, answer)).suspect);
    call.suspect = true;
    EXPECT_TRUE(std::holds_alternative<Poisoned>(judge(call, answer)));
    answer.was_running = false;
    EXPECT_FALSE(std::get<TryAgain>(judge(call, answer)).suspect);
}

}  // namespace
}  // namespace farm
