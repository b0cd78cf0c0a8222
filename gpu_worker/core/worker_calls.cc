#include <algorithm>
#include <chrono>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/core/worker_machine.h"
#include "schemas/chunking.h"

namespace farm {

namespace {

using namespace std::chrono_literals;

/// How long after its deadline a result is still kept: the client has given up by then.
constexpr Duration grace = 5s;
constexpr std::uint32_t overload_pause_ms = 100;

void cut(std::string& text) {
    if (text.size() > limits::detail_bytes) text.resize(limits::detail_bytes);
}

}  // namespace

void WorkerMachine::on(const CallArrived& arrived) {
    if (is_direct(arrived.link)) return direct_call(arrived.link, arrived);
    const auto broker = broker_of(arrived.link);
    if (!broker || !contacts_[*broker].serving()) return drop_payload(arrived.call.payload);
    contacts_[*broker].last_heard = now_;
    if (HeldCall* held = calls_.find(arrived.call.key)) return ask_too(*broker, *held, arrived);
    if (answer_again(*broker, arrived)) return drop_payload(arrived.call.payload);
    auto refusal = refusal_of(arrived);
    if (!refusal) refusal = window_refusal(*broker, arrived);
    if (refusal) {
        drop_payload(arrived.call.payload);
        const HostedService* service = this->service(arrived.service);
        return refuse(*broker, arrived.call.key, service == nullptr || service->ad.idempotent,
                      std::move(*refusal));
    }
    HeldCall& call = hold(arrived);
    add_asker(call, *broker);
    take_payload(call, arrived);
}

/// A call that has ended here before. True when it was answered.
bool WorkerMachine::answer_again(BrokerNumber broker, const CallArrived& arrived) {
    if (const auto kept = kept_.find_started(arrived.call.key)) {
        transmit(broker, kept_.deliver(*kept, broker));
        return true;
    }
    if (!ran_.contains(arrived.call.key.id)) return false;
    refuse(broker, arrived.call.key, false,
           {Outcome::lost, Reason::duplicate,
            "this call ran here before and its result is gone (the service may not run it twice)"});
    return true;
}

/// A call that is held already, sent again through this broker.
void WorkerMachine::ask_too(BrokerNumber broker, HeldCall& call, const CallArrived& arrived) {
    if (call.asked_by(broker)) return drop_payload(arrived.call.payload);
    leave_client(call);  // it has given up its direct way to us
    add_asker(call, broker);
    call.suspect = call.suspect || arrived.call.suspect;
    if (call.state != HeldCall::State::receiving) return drop_payload(arrived.call.payload);
    if (arrived.large != call.intake->large) {
        drop_payload(arrived.call.payload);
        return give_up(arrived.call.key, {Outcome::input_error, Reason::bad_input,
                                          "the call came twice with different inputs"});
    }
    // The stream through the other broker may never end: the one that asked last is followed.
    drop_payload(call.payload);
    take_payload(call, arrived);
}

std::optional<WorkerMachine::Refusal> WorkerMachine::refusal_of(const CallArrived& arrived) const {
    const Call& call = arrived.call;
    const HostedService* service = this->service(arrived.service);
    if (service == nullptr || !service->serves()) {
        return Refusal{Outcome::not_started, Reason::no_service,
                       "service '" + call.service + "' is not offered by worker " + options_.name +
                           (service == nullptr ? "" : " (" + service->ad.failure + ")")};
    }
    if (arrived.problem) {
        const bool is_size = arrived.problem->code == ErrorCode::too_large;
        return Refusal{Outcome::input_error, is_size ? Reason::too_large : Reason::bad_input,
                       arrived.problem->message};
    }
    if (arrived.call.chunked && stream_bytes(arrived.large) > call.input_bytes) {
        return Refusal{Outcome::input_error, Reason::bad_input,
                       "the large tensors have " + std::to_string(stream_bytes(arrived.large)) +
                           " bytes (input_bytes of this call is " +
                           std::to_string(call.input_bytes) + "): state the size of all inputs"};
    }
    if (draining_) {
        return Refusal{Outcome::not_started, Reason::draining,
                       "worker " + options_.name + " is leaving"};
    }
    if (call.remaining_ms == 0) {
        return Refusal{Outcome::not_started, Reason::deadline,
                       "the deadline had passed on arrival"};
    }
    if (!service->health.in_rotation()) {
        return Refusal{Outcome::not_started, Reason::backend_error,
                       service_name(service->ad.model, service->ad.version) + " on worker " +
                           options_.name + " is out of rotation after a device fault"};
    }
    return std::nullopt;
}

std::optional<WorkerMachine::Refusal> WorkerMachine::window_refusal(
    BrokerNumber broker, const CallArrived& arrived) const {
    const Call& call = arrived.call;
    const HostedService& service = services_.at(arrived.service);
    const std::uint64_t calls_allowed = service.windows.allowed(broker);
    const std::uint64_t bytes_allowed = bytes_.allowed(broker);
    std::uint64_t room = bytes_allowed - std::min(bytes_allowed, bytes_.outstanding(broker));
    const bool inputs_fit = call.input_bytes <= room;
    if (inputs_fit) room -= call.input_bytes;
    if (inputs_fit && service.result_limit(call) <= room &&
        service.windows.outstanding(broker) < calls_allowed) {
        return std::nullopt;
    }
    return Refusal{Outcome::not_started, Reason::overloaded,
                   "the broker passed its credit of " + std::to_string(calls_allowed) +
                       " calls and " + std::to_string(bytes_allowed) + " bytes at worker " +
                       options_.name,
                   overload_pause_ms};
}

HeldCall& WorkerMachine::hold(const CallArrived& arrived) {
    HeldCall call;
    call.key = arrived.call.key;
    call.service = arrived.service;
    call.rows = std::max(arrived.rows, 1U);
    call.said_rows = std::max(arrived.call.rows, 1U);
    call.shape_class = arrived.shape_class;
    call.priority = arrived.call.priority;
    call.suspect = arrived.call.suspect;
    call.input_bytes = arrived.call.input_bytes;
    call.max_result_bytes = services_.at(arrived.service).result_limit(arrived.call);
    call.arrived = now_;
    call.deadline = now_ + std::min<Duration>(std::chrono::milliseconds(arrived.call.remaining_ms),
                                              limits::longest_deadline);
    return calls_.add(std::move(call));
}

void WorkerMachine::take_payload(HeldCall& call, const CallArrived& arrived) {
    call.payload = arrived.call.payload;
    call.intake.reset();
    if (!arrived.call.chunked || arrived.large.empty()) return enqueue(call);
    call.state = HeldCall::State::receiving;
    const bool is_direct = direct_.by_link(arrived.link) != nullptr;
    call.intake = HeldCall::Intake{
        arrived.link, arrived.large,
        IncomingTransfer(arrived.large, is_direct ? direct_chunking : routed_chunking)};
    out_->push_back(ExpectFrames{call.payload});
    if (call.intake->transfer.done()) return enqueue(call);
    announce_grant(call);
}

/// Chunks travel on the bulk socket, so no grant leaves before it is bound.
void WorkerMachine::announce_grant(HeldCall& call) {
    if (!call.intake || !has_bulk(call.intake->link)) return;
    const auto grant = call.intake->transfer.next_grant();
    if (grant) transmit(call.intake->link, Send{call.key, *grant});
}

bool WorkerMachine::has_bulk(LinkId link) {
    if (const DirectClient* client = direct_.by_link(link)) return client->bulk_attached;
    const auto broker = broker_of(link);
    return broker && contacts_[*broker].bulk_attached;
}

void WorkerMachine::on(BrokerNumber broker, const Chunk& chunk) {
    HeldCall* call = calls_.find(chunk.key);
    if (call == nullptr || !call->intake || call->intake->link != contacts_[broker].link) {
        return drop_payload(chunk.payload);  // its call has ended meanwhile
    }
    take_chunk(*call, chunk);
}

void WorkerMachine::take_chunk(HeldCall& call, const Chunk& chunk) {
    const auto frame = call.intake->transfer.accept(chunk.tensor, chunk.offset, chunk.length);
    if (!frame) {
        drop_payload(chunk.payload);
        return give_up(chunk.key, {Outcome::input_error, Reason::bad_input, frame.error().message});
    }
    out_->push_back(StoreChunk{chunk.payload, call.payload, *frame, chunk.offset});
    if (!call.intake->transfer.done()) return announce_grant(call);
    enqueue(call);
}

void WorkerMachine::enqueue(HeldCall& call) {
    call.intake.reset();
    call.state = HeldCall::State::queued;
    WaitingCall waiting;
    waiting.key = call.key;
    waiting.rows = call.rows;
    waiting.bytes = call.input_bytes;
    waiting.shape_class = call.shape_class;
    waiting.priority = call.priority;
    waiting.suspect = call.suspect;
    waiting.deadline = call.deadline;
    waiting.arrived = now_;
    const ServiceIndex index = call.service;
    HostedService& service = services_.at(index);
    if (!service.health.in_rotation()) {
        return give_up(call.key, {Outcome::not_started, Reason::backend_error,
                                  "the service left rotation while the inputs were on their way"});
    }
    service.batcher.add(waiting);
    service.count_rows(call.rows, call.said_rows);
    touch(index);
}

void WorkerMachine::on(BrokerNumber broker, const Cancel& cancel) {
    kept_.cancel(broker, cancel.id);
    for (const CallKey& key : calls_.attempts(cancel.id)) {
        HeldCall& call = *calls_.find(key);
        // A run goes on, and its answer is sent as it is.
        if (call.state == HeldCall::State::running || !call.asked_by(broker)) continue;
        const bool repeatable = services_.at(call.service).ad.idempotent;
        unask(broker, key);
        refuse(broker, key, repeatable, {Outcome::not_started, Reason::cancelled, "cancelled"});
    }
}

void WorkerMachine::on(BrokerNumber broker, const Send& grant) {
    OutgoingTransfer* transfer = kept_.stream(broker, grant.key);
    if (transfer == nullptr) return;  // it has ended meanwhile
    transfer->grant(grant.granted_bytes);
    stream(broker, grant.key);
    if (leave_at_) leave_at_ = std::max(*leave_at_, now_ + contacts_[broker].timing.lost_after());
}

void WorkerMachine::stream(BrokerNumber broker, const CallKey& key) {
    OutgoingTransfer& transfer = *kept_.stream(broker, key);
    const PayloadId payload = kept_.payload(broker, key);
    while (const auto piece = transfer.next()) {
        out_->push_back(TransmitChunk{contacts_[broker].link, key, payload, piece->frame,
                                      piece->tensor, piece->offset, piece->length});
    }
    if (transfer.done()) kept_.stream_finished(broker, key);
}

// ---- who waits for it -------------------------------------------------------------------------

void WorkerMachine::add_asker(HeldCall& call, BrokerNumber broker) {
    call.askers.set(broker);
    services_.at(call.service).windows.add_outstanding(broker, 1);
    bytes_.add_outstanding(broker, call.reserved_bytes());
}

void WorkerMachine::remove_asker(HeldCall& call, BrokerNumber broker) {
    if (!call.asked_by(broker)) return;
    call.askers.reset(broker);
    services_.at(call.service).windows.remove_outstanding(broker, 1);
    bytes_.remove_outstanding(broker, call.reserved_bytes());
}

void WorkerMachine::unask(BrokerNumber broker, const CallKey& key) {
    HeldCall& call = *calls_.find(key);
    remove_asker(call, broker);
    if (!call.is_wanted() && call.state != HeldCall::State::running) discard(call);
}

/// Chunks that were on their way are lost with the link, so these calls never arrived. They are not
/// listed in the next HELLO, and the broker has given them up as well.
void WorkerMachine::abort_intakes(BrokerNumber broker) {
    for (const CallKey& key : calls_.asked_by(broker)) {
        HeldCall& call = *calls_.find(key);
        if (!call.intake || call.intake->link != contacts_[broker].link) continue;
        remove_asker(call, broker);
        give_up(key, {Outcome::not_started, Reason::none, "the inputs did not arrive completely"});
    }
}

// ---- endings ----------------------------------------------------------------------------------

/// Answers one broker about a call that is not held.
void WorkerMachine::refuse(BrokerNumber broker, const CallKey& key, bool repeatable,
                           Refusal refusal) {
    KeptResult result;
    result.answer.key = key;
    result.answer.outcome = refusal.outcome;
    result.answer.reason = refusal.reason;
    result.answer.repeatable = repeatable;
    result.answer.detail = std::move(refusal.detail);
    cut(result.answer.detail);
    result.answer.retry_after_ms = refusal.retry_after_ms;
    result.expires = now_ + grace;
    Answer answer = kept_.deliver(kept_.add(std::move(result)), broker);
    if (contacts_[broker].serving()) transmit(broker, std::move(answer));
    keep_within_limits();
}

/// Ends a call that is not running.
void WorkerMachine::give_up(const CallKey& key, Refusal refusal) {
    KeptResult result;
    result.answer.outcome = refusal.outcome;
    result.answer.reason = refusal.reason;
    result.answer.detail = std::move(refusal.detail);
    conclude(*calls_.find(key), std::move(result));
}

/// The one place where a held call ends: everyone who asked gets the result, once.
void WorkerMachine::conclude(HeldCall& call, KeptResult result) {
    result.answer.key = call.key;
    result.answer.repeatable = services_.at(call.service).ad.idempotent;
    cut(result.answer.detail);
    result.expires = std::max(call.deadline, now_) + grace;
    const bool has_run = result.answer.outcome != Outcome::not_started;
    if (!call.is_wanted() && !has_run) return discard(call);
    if (call.client) {
        answer_client(call, std::move(result));
        return discard(call);
    }

    const KeptResults::Id id = kept_.add(std::move(result));
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (!call.asked_by(broker)) continue;
        Answer answer = kept_.deliver(id, broker);
        if (contacts_[broker].serving()) transmit(broker, std::move(answer));
    }
    discard(call);
    keep_within_limits();
}

/// Takes a call off all books.
void WorkerMachine::discard(HeldCall& call) {
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) remove_asker(call, broker);
    leave_client(call);
    const bool waits = call.state == HeldCall::State::queued;
    if (waits) services_.at(call.service).batcher.remove(call.key);
    drop_payload(call.payload);
    calls_.erase(call);
}

void WorkerMachine::keep_within_limits() {
    dropped_result_count_ += kept_.enforce_limits();
    if (dropped_result_count_ == 0 || now_ < dropped_note_at_) return;
    note(NoteLevel::warning, "dropped " + std::to_string(std::exchange(dropped_result_count_, 0)) +
                                 " results that no broker had acknowledged (" +
                                 std::to_string(limits::kept_result_count) + " results or " +
                                 std::to_string(limits::kept_result_bytes) + " bytes are kept)");
    dropped_note_at_ = now_ + 10s;
}

}  // namespace farm
