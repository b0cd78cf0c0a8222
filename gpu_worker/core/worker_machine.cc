#include "gpu_worker/core/worker_machine.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "common/core/expect.h"

namespace farm {

namespace {

std::vector<PayloadId> payloads_of(const WorkerInput& input) {
    if (const auto* received = std::get_if<Received>(&input))
        return {payload_of(received->message)};
    if (const auto* arrived = std::get_if<CallArrived>(&input)) return {arrived->call.payload};
    std::vector<PayloadId> payloads;
    if (const auto* finished = std::get_if<RunFinished>(&input)) {
        for (const RunCallResult& call : finished->calls) payloads.push_back(call.payload);
    }
    return payloads;
}

}  // namespace

WorkerMachine::WorkerMachine(WorkerOptions options)
    : options_(std::move(options)),
      pause_(options_.back_off, options_.seed),
      contacts_(std::min<std::size_t>(options_.broker_count, limits::broker_count)),
      kept_(contacts_.size()),
      bytes_(contacts_.size(), options_.device_bytes, options_.device_bytes),
      secrets_(options_.seed) {}

void WorkerMachine::step(const WorkerInput& input, TimePoint now, WorkerEffects& out) {
    now_ = now;
    out_ = &out;
    if (finished_) {
        for (const PayloadId payload : payloads_of(input)) drop_payload(payload);
    } else {
        expire_leases();  // what they bind is the brokers' again, who may have used it already
        std::visit([this](const auto& event) { on(event); }, input);
        if (!finished_) do_what_is_due();
        release_payloads();
    }
    out_ = nullptr;
}

void WorkerMachine::do_what_is_due() {
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) contact_due(broker);
    direct_due();
    expire_calls();
    kept_.expire(now_);
    while (const auto service = service_timers_.pop_due(now_)) touch(*service);
    for (std::size_t i = 0; i < touched_.size(); ++i) {
        if (HostedService* service = find_service(touched_[i])) serve(touched_[i], *service);
    }
    touched_.clear();
    plan_windows();
    tell_curves();
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (contacts_[broker].serving() && contacts_[broker].credit_due) send_credit(broker);
        if (contacts_[broker].serving() && contacts_[broker].beat_due) send_beat(broker);
    }
    leave_when_idle();
}

std::optional<TimePoint> WorkerMachine::next_deadline() const {
    if (finished_) return std::nullopt;
    std::optional<TimePoint> next = earliest(calls_.next_deadline(), kept_.next_expiry());
    next = earliest(next, earliest(service_timers_.next(), leave_at_));
    next = earliest(next, earliest(direct_.next_deadline(), leases_.next_expiry()));
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        next = earliest(next, contacts_[broker].next_deadline(wants_link(broker)));
    }
    return next;
}

void WorkerMachine::expire_calls() {
    while (const auto key = calls_.pop_expired(now_)) {
        const bool was_receiving = calls_.find(*key)->state == HeldCall::State::receiving;
        give_up(*key, {Outcome::not_started, Reason::deadline,
                       was_receiving ? "the deadline passed while the inputs were on their way"
                                     : "the deadline passed in the queue of the worker"});
    }
}

void WorkerMachine::on(const Received& received) {
    if (is_direct(received.link)) return direct_message(received.link, received.message);
    const auto broker = broker_of(received.link);
    if (!broker) return drop_payload(payload_of(received.message));
    const bool opens_session = std::holds_alternative<Welcome>(received.message) ||
                               std::holds_alternative<Refused>(received.message);
    if (!contacts_[*broker].serving() && !opens_session) {
        return drop_payload(payload_of(received.message));
    }
    contacts_[*broker].last_heard = now_;
    std::visit([&](const auto& message) { on(*broker, message); }, received.message);
}

/// A verb that a broker does not send to a worker, or one that the rim turns into another input.
template <class Other>
void WorkerMachine::on(BrokerNumber broker, const Other& message) {
    drop_payload(payload_of(Message(message)));
    note(NoteLevel::warning, "ignored " + std::string(verb_name(Message(message))) + " of broker " +
                                 contacts_[broker].name + " (a worker does not take it)");
}

void WorkerMachine::on(const ModelReady& ready) {
    const auto known = services_.find(ready.ad.index);
    if (known != services_.end()) {
        known->second.replace(ready, options_.device_bytes);
    } else if (services_.size() >= limits::services_per_worker_count || !ready.ad.index) {
        return note(NoteLevel::error, "service " + service_name(ready.ad.model, ready.ad.version) +
                                          " is left out (a worker offers at most " +
                                          std::to_string(limits::services_per_worker_count) +
                                          " services): load fewer models");
    } else {
        HostedService service(ready, contacts_.size(), options_.device_bytes);
        for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
            if (contacts_[broker].serving()) service.windows.join(broker);
        }
        services_.emplace(ready.ad.index, std::move(service));
    }
    HostedService& service = services_.at(ready.ad.index);
    // A call that must not run twice needs a broker that remembers it when a connection breaks.
    if (service.serves() && service.ad.idempotent) service.ad.direct_url = options_.direct_url;
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (!contacts_[broker].serving()) continue;
        transmit(broker, advertisement(broker, {service.ad}));
        contacts_[broker].credit_due = true;
    }
    plan_due_ = true;
    touch(ready.ad.index);
}

// ---- leaving ----------------------------------------------------------------------------------

void WorkerMachine::drain(const std::string& why) {
    if (draining_) return;
    draining_ = true;
    note(NoteLevel::info,
         "draining (" + why + "): " + std::to_string(calls_.all().size()) + " calls to finish");
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (!contacts_[broker].serving()) continue;
        transmit(broker, Drain{});
        contacts_[broker].credit_due = true;
    }
    for (const auto& [link, client] : direct_) transmit(link, Drain{});
    plan_due_ = true;
}

/// Calls that wait go to other workers at once; those that run end by themselves.
void WorkerMachine::on(const DeviceLost& lost) {
    if (std::exchange(device_lost_, true)) return;
    note(NoteLevel::error, "the device is lost (" + lost.why + "): leaving, to be started again");
    std::vector<CallKey> waiting;
    for (const auto& [key, call] : calls_.all()) {
        if (call->state != HeldCall::State::running) waiting.push_back(key);
    }
    std::ranges::sort(waiting);
    for (const CallKey& key : waiting) {
        give_up(key, {Outcome::not_started, Reason::backend_error,
                      "worker " + options_.name + " has lost its device: " + lost.why});
    }
    drain("its device is lost");
}

void WorkerMachine::leave_when_idle() {
    if (!draining_ || finished_ || !calls_.empty() || !runs_.empty()) return;
    bool has_unfinished = direct_.has_streams();
    Duration patience = options_.direct_timing.lost_after();
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        has_unfinished = has_unfinished || kept_.has_unfinished(broker);
        patience = std::max<Duration>(patience, contacts_[broker].timing.lost_after());
    }
    if (!leave_at_) leave_at_ = now_ + patience;
    if (!has_unfinished || now_ >= *leave_at_) leave();
}

void WorkerMachine::leave() {
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (contacts_[broker].serving()) transmit(broker, Goodbye{"drained"});
    }
    for (const auto& [link, client] : direct_) transmit(link, Goodbye{"drained"});
    note(NoteLevel::info, "drained");
    stop();
}

void WorkerMachine::stop() {
    finished_ = true;
    for (BrokerContact& contact : contacts_) {
        if (contact.state != BrokerContact::State::waiting)
            out_->push_back(CloseLink{contact.link});
        contact = BrokerContact{};
    }
    for (const auto& [link, client] : direct_) {
        for (const auto& [key, stream] : client.streams) drop_payload(stream.payload);
        out_->push_back(CloseLink{link});
    }
    for (const auto& [key, call] : calls_.all()) drop_payload(call->payload);
    kept_.clear();
    release_payloads();
    out_->push_back(Finished{});
}

// ---- small things -----------------------------------------------------------------------------

/// After everything else of the step, because what was transmitted shares these.
void WorkerMachine::release_payloads() {
    for (const PayloadId payload : kept_.take_released()) drop_payload(payload);
}

std::size_t WorkerMachine::session_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(contacts_, &BrokerContact::serving));
}

const HostedService* WorkerMachine::service(ServiceIndex index) const {
    const auto found = services_.find(index);
    return found == services_.end() ? nullptr : &found->second;
}

HostedService* WorkerMachine::find_service(ServiceIndex index) {
    const auto found = services_.find(index);
    return found == services_.end() ? nullptr : &found->second;
}

void WorkerMachine::drop_payload(PayloadId payload) {
    if (payload) out_->push_back(DropPayload{payload});
}

void WorkerMachine::note(NoteLevel level, std::string text) {
    out_->push_back(Note{level, std::move(text)});
}

}  // namespace farm
