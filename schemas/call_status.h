#pragma once

#include <cstdint>
#include <string_view>

namespace farm {

/// How a call ended. The client library gives exactly one to each call (rule 1).
enum class CallStatus : std::uint8_t {
    ok,
    invalid,  ///< the inputs or the name are wrong: the detail says field, value and limit
    unauthorized,
    no_service,   ///< nobody offers it, and the grace time is over
    unavailable,  ///< no broker could be reached: the detail says which addresses and how long
    overloaded,   ///< queues are full: see retry_after_ms
    deadline,
    cancelled,
    worker_lost,  ///< the worker vanished, and sending again was not allowed any more
    poison,       ///< it ran alone and the worker died again: its inputs are in quarantine
    internal,
};

/// "OK", "WORKER_LOST", ...
constexpr std::string_view to_string(CallStatus status) {
    switch (status) {
        case CallStatus::ok: return "OK";
        case CallStatus::invalid: return "INVALID";
        case CallStatus::unauthorized: return "UNAUTHORIZED";
        case CallStatus::no_service: return "NO_SERVICE";
        case CallStatus::unavailable: return "UNAVAILABLE";
        case CallStatus::overloaded: return "OVERLOADED";
        case CallStatus::deadline: return "DEADLINE";
        case CallStatus::cancelled: return "CANCELLED";
        case CallStatus::worker_lost: return "WORKER_LOST";
        case CallStatus::poison: return "POISON";
        case CallStatus::internal: return "INTERNAL";
    }
    return "UNKNOWN";
}

}  // namespace farm
