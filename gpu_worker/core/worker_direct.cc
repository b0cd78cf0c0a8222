#include <algorithm>
#include <type_traits>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/core/worker_machine.h"
#include "schemas/chunking.h"

// Clients on the direct path: here the worker speaks as a broker does, for its own services. Only
// idempotent services are offered so, hence nothing is kept for a client that goes away: it sends
// its calls again, by whatever way.
namespace farm {

namespace {

/// Of a session with neither lease nor call; a lease holds as long.
constexpr int idle_beats = 10;
constexpr std::uint32_t overload_pause_ms = 10;

template <class Verb>
constexpr bool has_payload =
    std::is_same_v<Verb, Call> || std::is_same_v<Verb, Answer> || std::is_same_v<Verb, Chunk>;

}  // namespace

// ---- sessions ---------------------------------------------------------------------------------

void WorkerMachine::direct_message(LinkId link, const Message& message) {
    if (const auto* hello = std::get_if<Hello>(&message)) return greet(link, *hello);
    if (const auto* attached = std::get_if<Attach>(&message)) return attach(link, *attached);
    DirectClient* client = direct_.by_link(link);
    std::visit(
        [&](const auto& verb) {
            using Verb = std::decay_t<decltype(verb)>;
            if (client != nullptr) {
                client->last_heard = now_;
                return on(*client, verb);
            }
            if constexpr (has_payload<Verb>) drop_payload(verb.payload);
            refuse_link(link, RefusedReason::unknown_session,
                        std::string(verb_name(message)) + " came before HELLO: say HELLO first");
        },
        message);
}

template <class Other>
void WorkerMachine::on(DirectClient& client, const Other& message) {
    if constexpr (has_payload<Other>) drop_payload(message.payload);
    refuse_link(client.link, RefusedReason::malformed,
                "a worker takes no " + std::string(verb_name(Message(message))) +
                    " from a client: ask a broker");
}

void WorkerMachine::on(const Malformed& malformed) {
    refuse_link(malformed.link, malformed.reason, malformed.detail);
}

void WorkerMachine::greet(LinkId link, const Hello& hello) {
    if (direct_.by_link(link) != nullptr) {
        return refuse_link(link, RefusedReason::malformed, "a second HELLO came on one connection");
    }
    if (hello.protocol_min > protocol_version || hello.protocol_max < protocol_version) {
        return refuse_link(link, RefusedReason::protocol_version,
                           "protocol " + std::to_string(hello.protocol_min) + ".." +
                               std::to_string(hello.protocol_max) + " (this worker speaks " +
                               std::to_string(protocol_version) + ")");
    }
    if (hello.role != Role::client && hello.role != Role::admin) {
        return refuse_link(link, RefusedReason::unauthorized,
                           "a worker serves clients, not a " + std::string(to_string(hello.role)));
    }
    if (draining_) return refuse_link(link, RefusedReason::draining, "this worker is leaving");
    if (const DirectClient* old = direct_.by_peer(hello.peer)) {
        out_->push_back(CloseLink{old->link});
        end_direct(old->link, "it connected again");
    }
    if (direct_.size() >= limits::direct_session_count) {
        return refuse_link(link, RefusedReason::too_many_sessions,
                           "this worker holds " + std::to_string(limits::direct_session_count) +
                               " direct sessions, its limit");
    }
    DirectClient& client = direct_.add(link, hello.peer);
    client.name = hello.name;
    client.secret = secrets_.next_id<Secret>();
    client.last_heard = client.last_leased = now_;
    Welcome welcome;
    welcome.session = client.id;
    welcome.broker = options_.peer;
    welcome.broker_epoch = options_.epoch;
    welcome.broker_name = options_.name;
    welcome.timing = options_.direct_timing;
    if (!is_same_host(link)) welcome.bulk_url = options_.direct_bulk_url;
    welcome.bulk_secret = client.secret;
    transmit(link, std::move(welcome));
    arm(client);
}

void WorkerMachine::attach(LinkId link, const Attach& attach) {
    DirectClient* client = direct_.by_id(attach.session);
    if (client == nullptr || client->secret != attach.secret) {
        return refuse_link(link, RefusedReason::unknown_session,
                           "ATTACH names no session of this worker, or has the wrong secret");
    }
    client->bulk_attached = true;
    client->last_heard = now_;
    out_->push_back(BindBulk{client->link, link});
    transmit(client->link, Attach(attach));
    for (const CallKey& key : client->calls) announce_grant(*calls_.find(key));
}

void WorkerMachine::refuse_link(LinkId link, RefusedReason reason, std::string detail) {
    note(NoteLevel::warning,
         "refused a client (" + std::string(to_string(reason)) + "): " + detail);
    if (detail.size() > limits::detail_bytes) detail.resize(limits::detail_bytes);
    transmit(link, Refused{reason, std::move(detail)});
    out_->push_back(CloseLink{link});
    end_direct(link, "refused");
}

void WorkerMachine::on(DirectClient& client, const Goodbye& goodbye) {
    const LinkId link = client.link;
    out_->push_back(CloseLink{link});
    end_direct(link, goodbye.reason);
}

/// Nobody waits for its calls any more, and what its leases bind is free but for calls that run.
void WorkerMachine::end_direct(LinkId link, const std::string& why) {
    DirectClient* client = direct_.by_link(link);
    if (client == nullptr) return;
    note(NoteLevel::debug, "client " + client->name + " left: " + why);
    const std::vector<CallKey> keys(client->calls.begin(), client->calls.end());
    for (const CallKey& key : keys) {
        HeldCall& call = *calls_.find(key);
        leave_client(call);
        if (call.state != HeldCall::State::running) discard(call);
    }
    for (const auto& [key, stream] : client->streams) drop_payload(stream.payload);
    return_leases(*client);
    direct_.remove(link);
    plan_due_ = true;
}

void WorkerMachine::arm(const DirectClient& client) {
    const TimePoint silent_at = client.last_heard + options_.direct_timing.lost_after();
    direct_.set_timer(client.link, std::min(silent_at, now_ + options_.direct_timing.beat));
}

void WorkerMachine::direct_due() {
    while (const auto link = direct_.pop_due(now_)) {
        DirectClient& client = *direct_.by_link(*link);
        const Timing& timing = options_.direct_timing;
        const bool is_silent = now_ >= client.last_heard + timing.lost_after();
        const bool is_done =
            client.is_idle() && now_ >= client.last_leased + idle_beats * timing.beat;
        if (is_done) transmit(*link, Goodbye{"no lease"});
        if (is_silent || is_done) {
            out_->push_back(CloseLink{*link});
            end_direct(*link, is_silent ? "silent for too long" : "it has no lease");
            continue;
        }
        transmit(*link, Beat{});
        arm(client);
    }
}

// ---- calls ------------------------------------------------------------------------------------

void WorkerMachine::direct_call(LinkId link, const CallArrived& arrived) {
    DirectClient* client = direct_.by_link(link);
    if (client == nullptr) {
        drop_payload(arrived.call.payload);
        return refuse_link(link, RefusedReason::unknown_session,
                           "CALL came before HELLO: say HELLO first");
    }
    client->last_heard = now_;
    const HeldCall* held = calls_.find(arrived.call.key);
    if (held != nullptr && held->client == link) return drop_payload(arrived.call.payload);
    std::optional<Refusal> refusal;
    if (held != nullptr) {
        refusal = Refusal{Outcome::not_started, Reason::duplicate,
                          "this call is held for another session"};
    }
    if (!refusal) refusal = refusal_of(arrived);
    if (!refusal) refusal = lease_refusal(*client, arrived);
    if (refusal) {
        drop_payload(arrived.call.payload);
        return refuse_call(*client, arrived.call, std::move(*refusal));
    }
    const LeaseKey lease = client->leases.at(arrived.service);
    HeldCall& call = hold(arrived);
    call.client = link;
    call.lease = lease;
    client->calls.insert(call.key);
    const Room before = leases_.find(lease)->bound();
    leases_.use(lease, call.reserved_bytes());
    if (leases_.find(lease)->bound() != before) bind(lease, before);
    take_payload(call, arrived);
}

std::optional<WorkerMachine::Refusal> WorkerMachine::lease_refusal(DirectClient& client,
                                                                   const CallArrived& arrived) {
    const auto held = client.leases.find(arrived.service);
    const LiveLease* lease = held == client.leases.end() ? nullptr : leases_.find(held->second);
    const HostedService& service = services_.at(arrived.service);
    const std::uint64_t bytes = arrived.call.input_bytes + service.result_limit(arrived.call);
    if (lease != nullptr && bytes >= arrived.call.input_bytes && lease->has_room(bytes)) {
        return std::nullopt;
    }
    return Refusal{Outcome::not_started, Reason::overloaded,
                   lease == nullptr
                       ? "this client has no lease of '" + arrived.call.service + "' at worker " +
                             options_.name
                       : "the lease of this client at worker " + options_.name + " holds " +
                             std::to_string(lease->granted.calls) + " calls and " +
                             std::to_string(lease->granted.bytes) + " bytes",
                   overload_pause_ms};
}

void WorkerMachine::refuse_call(DirectClient& client, const Call& call, Refusal refusal) {
    Answer answer;
    answer.key = call.key;
    answer.outcome = refusal.outcome;
    answer.reason = refusal.reason;
    answer.detail = std::move(refusal.detail);
    if (answer.detail.size() > limits::detail_bytes) answer.detail.resize(limits::detail_bytes);
    answer.retry_after_ms = refusal.retry_after_ms;
    transmit(client.link, std::move(answer));
}

/// Of a result that leaves with its message.
std::uint64_t WorkerMachine::most_whole_bytes(const HeldCall& call) {
    const Framing framing = framing_of(call.client);
    const DirectClient* client = direct_.by_link(call.client);
    const bool has_way = framing != Framing::direct || (client != nullptr && client->bulk_attached);
    return has_way ? whole_bytes(framing) : limits::small_call_bytes;
}

/// A small answer leaves at once; a large one waits here for the client's SENDs.
void WorkerMachine::answer_client(const HeldCall& call, KeptResult result) {
    DirectClient& client = *direct_.by_link(call.client);
    if (!result.answer.chunked) {
        return transmit(client.link, std::move(result.answer), true);
    }
    client.streams[call.key] = {OutgoingTransfer(result.large, direct_chunking),
                                result.answer.payload};
    transmit(client.link, std::move(result.answer));
    plan_due_ = true;
}

void WorkerMachine::on(DirectClient& client, const Send& grant) {
    const auto found = client.streams.find(grant.key);
    if (found == client.streams.end()) return;  // it has ended meanwhile
    OutgoingTransfer& transfer = found->second.transfer;
    transfer.grant(grant.granted_bytes);
    while (const auto piece = transfer.next()) {
        out_->push_back(TransmitChunk{client.link, grant.key, found->second.payload, piece->frame,
                                      piece->tensor, piece->offset, piece->length});
    }
    if (transfer.done()) end_stream(client, grant.key);
}

void WorkerMachine::end_stream(DirectClient& client, const CallKey& key) {
    const auto found = client.streams.find(key);
    if (found == client.streams.end()) return;
    drop_payload(found->second.payload);
    client.streams.erase(found);
    plan_due_ = true;
}

void WorkerMachine::on(DirectClient& client, const Chunk& chunk) {
    HeldCall* call = calls_.find(chunk.key);
    if (call == nullptr || !call->intake || call->intake->link != client.link) {
        return drop_payload(chunk.payload);  // its call has ended meanwhile
    }
    take_chunk(*call, chunk);
}

void WorkerMachine::on(DirectClient& client, const Cancel& cancel) {
    for (const CallKey& key : calls_.attempts(cancel.id)) {
        HeldCall& call = *calls_.find(key);
        // A run goes on, and its answer is sent as it is.
        if (call.state == HeldCall::State::running || call.client != client.link) continue;
        give_up(key, {Outcome::not_started, Reason::cancelled, "cancelled"});
    }
    for (std::uint8_t attempt = 1; attempt <= limits::attempt_count; ++attempt) {
        end_stream(client, {cancel.id, attempt});
    }
}

/// The client's session does not wait for this call any more.
void WorkerMachine::leave_client(HeldCall& call) {
    if (!call.client) return;
    if (DirectClient* client = direct_.by_link(call.client)) {
        client->calls.erase(call.key);
        client->last_leased = now_;
    }
    call.client = LinkId{};
    const Room before = leases_.find(call.lease)->bound();
    leases_.give_back(call.lease, call.reserved_bytes());
    if (leases_.find(call.lease)->bound() != before) bind(call.lease, before);
    leases_.drop_if_over(call.lease);
}

}  // namespace farm
