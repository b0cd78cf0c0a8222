#include "schemas/messages.h"

#include <array>

namespace farm {

namespace {

enum Senders : std::uint8_t { client = 1, worker = 2, broker = 4, admin = 8, users = 9 };

struct Verb {
    std::string_view name;
    std::uint8_t senders;
};

/// One row per alternative of Message, in its order; wire.md has the same table.
constexpr std::array<Verb, std::variant_size_v<Message>> verbs{{
    {"HELLO", users | worker},
    {"WELCOME", broker},
    {"REFUSED", broker},
    {"ATTACH", users | worker | broker},
    {"GOODBYE", users | worker | broker},
    {"ADVERTISE", worker},
    {"WITHDRAW", worker},
    {"CREDIT", worker},
    {"BEAT", users | worker | broker},
    {"CALL", users | broker},
    {"RESULT", worker | broker},
    {"SEND", users | worker | broker},
    {"CHUNK", users | worker | broker},
    {"STARTED", worker | broker},
    {"CANCEL", users | broker},
    {"RESOLVE", users},
    {"LEASE", users | worker | broker},
    {"LIST", users | worker},
    {"CATALOG", broker},
    {"STATUS", users | worker},
    {"REPORT", broker},
    {"DRAIN", worker | broker | admin},
}};

std::uint8_t sender_bit(Role role) {
    switch (role) {
        case Role::client: return client;
        case Role::worker: return worker;
        case Role::broker: return broker;
        case Role::admin: return admin;
    }
    return 0;
}

}  // namespace

std::string_view to_string(Role role) {
    switch (role) {
        case Role::client: return "client";
        case Role::worker: return "worker";
        case Role::broker: return "broker";
        case Role::admin: return "admin";
    }
    return "unknown";
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::ok: return "ok";
        case Outcome::not_started: return "not_started";
        case Outcome::input_error: return "input_error";
        case Outcome::retryable_fault: return "retryable_fault";
        case Outcome::device_fault: return "device_fault";
        case Outcome::lost: return "lost";
    }
    return "unknown";
}

std::string_view to_string(Reason reason) {
    switch (reason) {
        case Reason::none: return "none";
        case Reason::no_service: return "no_service";
        case Reason::overloaded: return "overloaded";
        case Reason::deadline: return "deadline";
        case Reason::cancelled: return "cancelled";
        case Reason::too_large: return "too_large";
        case Reason::bad_input: return "bad_input";
        case Reason::unauthorized: return "unauthorized";
        case Reason::draining: return "draining";
        case Reason::worker_lost: return "worker_lost";
        case Reason::backend_error: return "backend_error";
        case Reason::run_overdue: return "run_overdue";
        case Reason::duplicate: return "duplicate";
    }
    return "unknown";
}

std::string_view to_string(RefusedReason reason) {
    switch (reason) {
        case RefusedReason::unknown_session: return "unknown_session";
        case RefusedReason::protocol_version: return "protocol_version";
        case RefusedReason::old_epoch: return "old_epoch";
        case RefusedReason::unauthorized: return "unauthorized";
        case RefusedReason::too_many_sessions: return "too_many_sessions";
        case RefusedReason::malformed: return "malformed";
        case RefusedReason::draining: return "draining";
    }
    return "unknown";
}

PayloadId payload_of(const Message& message) {
    if (const auto* call = std::get_if<Call>(&message)) return call->payload;
    if (const auto* answer = std::get_if<Answer>(&message)) return answer->payload;
    if (const auto* chunk = std::get_if<Chunk>(&message)) return chunk->payload;
    return {};
}

std::string_view verb_name(const Message& message) { return verbs[message.index()].name; }

bool may_send(Role sender, const Message& message) {
    return (verbs[message.index()].senders & sender_bit(sender)) != 0;
}

}  // namespace farm
