#pragma once

#include <string>
#include <variant>

#include "cpu_client/core/open_call.h"

/// Rule 4: only the client turns the outcome of an attempt into the status of the call.
namespace farm {

struct Finish {
    CallStatus status{CallStatus::ok};
    std::string detail;
    std::uint32_t retry_after_ms{0};
};

/// Another attempt would be right, if the number of attempts, the deadline and the retry budget
/// allow it; `otherwise` is how the call ends when they do not.
struct TryAgain {
    Duration pause{0};
    SessionId avoid;
    bool suspect{false};
    Finish otherwise;
};

/// It ran alone, and the worker died again (rule 7).
struct Poisoned {
    std::string detail;
};

/// The broker itself takes no more calls; nobody has tried this one, so it is no attempt.
struct BrokerLeaves {};

using Verdict = std::variant<Finish, TryAgain, Poisoned, BrokerLeaves>;

/// Looks at the call and its answer only: no time, no budget, no count of attempts.
Verdict judge(const OpenCall& call, const Answer& answer);

}  // namespace farm
