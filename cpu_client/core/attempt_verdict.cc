#include "cpu_client/core/attempt_verdict.h"

#include <optional>
#include <string_view>

namespace farm {
namespace {

constexpr Duration duplicate_pause = std::chrono::milliseconds(100);

std::string detail_or(const Answer& answer, std::string_view otherwise) {
    return answer.detail.empty() ? std::string(otherwise) : answer.detail;
}

/// Reasons that no other worker would see differently.
std::optional<Finish> final_reason(const Answer& answer) {
    switch (answer.reason) {
        case Reason::unauthorized:
            return Finish{CallStatus::unauthorized,
                          detail_or(answer, "the broker does not allow it")};
        case Reason::bad_input:
            return Finish{CallStatus::invalid,
                          detail_or(answer, "the inputs do not match the model's signature")};
        case Reason::too_large:
            return Finish{CallStatus::invalid, detail_or(answer, "inputs or result pass a limit")};
        case Reason::no_service:
            return Finish{CallStatus::no_service, detail_or(answer, "no worker offers this model")};
        case Reason::deadline:
            return Finish{CallStatus::deadline,
                          detail_or(answer, "the deadline passed before the call was served")};
        default: break;
    }
    if (answer.outcome != Outcome::input_error) return std::nullopt;
    return Finish{CallStatus::invalid, detail_or(answer, "the worker refused the inputs")};
}

CallStatus status_when_out_of_attempts(const Answer& answer) {
    if (answer.outcome == Outcome::lost) return CallStatus::worker_lost;
    switch (answer.reason) {
        case Reason::overloaded:
        case Reason::draining: return CallStatus::overloaded;
        case Reason::cancelled: return CallStatus::cancelled;
        case Reason::worker_lost: return CallStatus::worker_lost;
        default: return CallStatus::internal;
    }
}

std::string_view default_detail(const Answer& answer) {
    if (answer.outcome == Outcome::lost) return "the worker vanished";
    switch (answer.reason) {
        case Reason::overloaded: return "the queues are full";
        case Reason::draining: return "the worker is leaving";
        case Reason::cancelled: return "the call was cancelled by the farm";
        case Reason::worker_lost: return "the worker vanished before the call started";
        case Reason::backend_error: return "the backend raised an error";
        case Reason::run_overdue: return "the run took far longer than expected";
        case Reason::duplicate: return "this call is open in another session";
        default: return "the attempt failed without a reason";
    }
}

Duration pause_before_next(const Answer& answer) {
    if (answer.reason == Reason::duplicate) return duplicate_pause;
    if (answer.reason == Reason::overloaded)
        return std::chrono::milliseconds(answer.retry_after_ms);
    return Duration{0};
}

}  // namespace

Verdict judge(const OpenCall& call, const Answer& answer) {
    if (answer.outcome == Outcome::ok) return Finish{};
    if (auto finish = final_reason(answer)) return *std::move(finish);
    const bool started = answer.outcome != Outcome::not_started;
    if (!started && answer.reason == Reason::draining && !answer.worker) return BrokerLeaves{};

    const bool died_running = answer.outcome == Outcome::lost && answer.was_running;
    std::string detail = detail_or(answer, default_detail(answer));
    if (died_running && call.suspect) {
        return Poisoned{detail + " while running this call alone, for the second time"};
    }
    Finish otherwise{status_when_out_of_attempts(answer), std::move(detail), answer.retry_after_ms};
    if (started && !(call.what.idempotent && answer.repeatable)) {
        otherwise.detail += " (not sent again: it may have run, and it is not idempotent)";
        return otherwise;
    }
    return TryAgain{pause_before_next(answer), answer.worker, died_running, std::move(otherwise)};
}

}  // namespace farm
