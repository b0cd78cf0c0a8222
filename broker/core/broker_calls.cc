#include <algorithm>
#include <utility>

#include "broker/core/broker_machine.h"
#include "common/core/expect.h"

namespace farm {
namespace {

std::string bytes_text(std::uint64_t bytes) { return std::to_string(bytes) + " bytes"; }

}  // namespace

// ---- from the client --------------------------------------------------------------------------

void BrokerMachine::client_call(Session& session, Call&& message) {
    const CallId id = message.key.id;
    if (cancelled_early_.ids.erase(id)) {
        return reject(session, message, Outcome::not_started, Reason::cancelled, "cancelled");
    }
    if (RoutedCall* const open = calls_.find(id)) {
        if (open->client != &session) {
            return reject(session, message, Outcome::not_started, Reason::duplicate,
                          "this call id is open in another session");
        }
        if (message.key.attempt <= open->key.attempt) {  // sent again after a break
            drop_payload(message.payload);
            return;
        }
        cancel_at_worker(*open);
        forget_call(*open);
    }
    if (draining_) {
        return reject(session, message, Outcome::not_started, Reason::draining,
                      "this broker is leaving");
    }
    if (message.remaining_ms == 0) {
        return reject(session, message, Outcome::not_started, Reason::deadline,
                      "the deadline had passed on arrival");
    }
    if (session.calls.size() >= limits::open_calls_per_session_count) {
        return reject(
            session, message, Outcome::not_started, Reason::overloaded,
            "this session has " + std::to_string(session.calls.size()) + " open calls, the limit",
            100);
    }
    if (message.chunked && options_.bulk_url.empty()) {
        return reject(
            session, message, Outcome::input_error, Reason::too_large,
            "inputs of " + bytes_text(message.input_bytes) + " need a broker with a bulk address");
    }
    Service* service = service_named(message.service);
    if (service == nullptr) {
        return reject(session, message, Outcome::not_started, Reason::no_service,
                      "service '" + message.service + "' is not offered, and this broker already " +
                          "remembers " + std::to_string(limits::service_count) + " names");
    }
    enqueue(session, std::move(message), *service);
}

void BrokerMachine::enqueue(Session& session, Call&& message, Service& service) {
    if (service.table() == nullptr) {
        const TimePoint until =
            service.absent_since + no_service_grace(options_.timing, options_.back_off);
        if (now_ >= until) {
            reject(session, message, Outcome::not_started, Reason::no_service,
                   "no worker offers '" + message.service + "': see `farm models`");
            return service_absent(message.service);
        }
        absence_timers_.set(service.name, until);
    }
    if (const auto problem = too_large_for_all(service, message)) {
        return reject(session, message, Outcome::input_error, Reason::too_large, *problem);
    }
    const std::uint64_t held =
        message.chunked ? message.body_bytes : message.input_bytes + message.body_bytes;
    if (service.queue.size() >= options_.queued_calls_per_service ||
        queued_bytes_ + held > options_.queued_bytes) {
        return reject(session, message, Outcome::not_started, Reason::overloaded,
                      "the queue of '" + service.name + "' holds " +
                          std::to_string(service.queue.size()) + " calls, this broker " +
                          bytes_text(queued_bytes_) + " (limits " +
                          std::to_string(options_.queued_calls_per_service) + " and " +
                          std::to_string(options_.queued_bytes) + ")",
                      retry_after_ms(service));
    }
    ++counters_.accepted;
    RoutedCall& open = calls_.add(message.key.id);
    open.key = message.key;
    open.client = &session;
    open.deadline = now_ + std::chrono::milliseconds(message.remaining_ms);
    open.input_left_bytes = message.chunked ? message.streamed_bytes : 0;
    open.call = std::move(message);
    session.calls.insert(open.key.id);
    call_timers_.set(open.key.id, open.deadline);

    const bool is_next = service.queue.empty();
    if (is_next) {
        if (const Offer* offer = choose_offer(service, open)) {
            return send_to_worker(open, *offer);
        }
    }
    open.service = &service;
    service.queue.push({open.key.id, open.call.priority, open.deadline, now_,
                        expected_cost(service, open.call), held},
                       session.rights.tenant);
    queued_bytes_ += held;
    ++queued_count_;
    if (!is_next) dispatch(service);
}

Duration BrokerMachine::expected_cost(const Service& service, const Call& call) const {
    const OfferTable* offers = service.table();
    if (offers == nullptr) return Duration{RateEstimate::unknown_run_ns};
    return (*offers)[0].service->rate.expected(call.rows);
}

std::optional<std::string> BrokerMachine::too_large_for_all(const Service& service,
                                                            const Call& call) const {
    const OfferTable* offers = service.table();
    if (offers == nullptr) return {};
    std::uint64_t largest = 0;
    for (const Offer& offer : offers->offers()) {
        const ServiceAd& ad = *offer.service->ad;
        if (call.input_bytes + result_bytes(call, ad) <= ad.max_call_bytes) return {};
        largest = std::max(largest, ad.max_call_bytes);
    }
    return "inputs of " + bytes_text(call.input_bytes) + " and a result of up to " +
           bytes_text(call.max_result_bytes) + " (no worker of '" + service.name +
           "' takes more than " + bytes_text(largest) + " together)";
}

std::uint64_t BrokerMachine::result_bytes(const Call& call, const ServiceAd& ad) const {
    return call.max_result_bytes != 0 ? call.max_result_bytes : ad.max_result_bytes;
}

void BrokerMachine::reject(Session& session, const Call& message, Outcome outcome, Reason reason,
                           std::string detail, std::uint32_t retry_after_ms) {
    drop_payload(message.payload);
    Answer answer;
    answer.key = message.key;
    answer.outcome = outcome;
    answer.reason = reason;
    answer.detail = std::move(detail);
    answer.retry_after_ms = retry_after_ms;
    ++counters_.answered_other;
    deliver(session, std::move(answer));
}

void BrokerMachine::client_cancel(Session& session, CallId id) {
    RoutedCall* const open = calls_.find(id);
    if (open == nullptr) {
        if (cancelled_early_.ids.insert(id)) cancelled_early_.order.push_back(id);
        if (cancelled_early_.order.size() > limits::tombstone_count) {
            cancelled_early_.ids.erase(cancelled_early_.order.front());
            cancelled_early_.order.pop_front();
        }
        return;
    }
    if (open->client != &session) return;  // of another session: not its business
    ++counters_.cancelled;
    if (open->state == RoutedCall::State::queued) {
        return answer_without_running(*open, Outcome::not_started, Reason::cancelled, "cancelled");
    }
    cancel_at_worker(*open);  // its window stays charged until the RESULT
    forget_call(*open);
}

// ---- to the worker ----------------------------------------------------------------------------

void BrokerMachine::dispatch(Service& service) {
    while (!service.queue.empty() && dispatch_head(service)) {
    }
}

bool BrokerMachine::dispatch_head(Service& service) {
    RoutedCall& open = calls_.at(service.queue.head()->id);
    if (const Offer* offer = choose_offer(service, open)) {
        queued_bytes_ -= service.queue.head()->size_bytes;
        --queued_count_;
        service.queue.pop_head();
        open.service = nullptr;
        send_to_worker(open, *offer);
        return true;
    }
    // It came before the offers that cannot hold it, or outlived those that could.
    if (auto problem = too_large_for_all(service, open.call)) {
        answer_without_running(open, Outcome::input_error, Reason::too_large, *std::move(problem));
        return true;
    }
    return false;  // waits, and so does what is behind it (rule 3)
}

/// The worker for this call, as the policy has it; null when none can take it now.
const Offer* BrokerMachine::choose_offer(Service& service, const RoutedCall& open) {
    OfferTable* const table = service.table();
    if (table == nullptr) return nullptr;
    const Call& call = open.call;
    const Demand demand{call.rows, call.input_bytes, call.max_result_bytes, call.chunked};
    table->prepare(call.rows, now_);
    const Offer* chosen = nullptr;
    const Offer* avoided = nullptr;
    hidden_.clear();
    while (const auto place = policy_->pick(*table, demand)) {
        const Offer& offer = (*table)[*place];
        if (can_take(offer, service, call)) {
            chosen = &offer;
            if (offer.owner->id != call.avoid) break;
            avoided = std::exchange(chosen, nullptr);
        }
        table->hide(*place);
        hidden_.push_back(*place);
    }
    for (const OfferTable::Place place : hidden_) table->set(place, now_);
    return chosen != nullptr ? chosen : avoided;
}

/// What the table does not know, or only to rounding. A worker that has fallen silent closes here.
bool BrokerMachine::can_take(const Offer& offer, const Service& service, const Call& call) {
    Session& session = *offer.owner;
    Worker& worker = *session.worker;
    const WorkerService& ws = *offer.service;
    if (now_ >= session.last_heard + options_.timing.suspect_after()) {
        worker_changed(session);
        return false;
    }
    const bool is_meant = service.versions.empty() || ws.by_model == &service;
    const std::uint64_t bytes = call.input_bytes + result_bytes(call, *ws.ad);
    const bool has_room = bytes <= ws.ad->max_call_bytes && bytes <= worker.room_bytes();
    const bool can_stream = !call.chunked || session.bulk_attached;
    return is_meant && worker.open && has_room && can_stream &&
           !worker.outstanding.contains(call.key);  // it has not yet let go of it
}

void BrokerMachine::send_to_worker(RoutedCall& open, const Offer& offer) {
    Session& session = *offer.owner;
    WorkerService& ws = *offer.service;
    open.state = RoutedCall::State::dispatched;
    open.worker = session.id;
    open.repeatable = ws.ad->idempotent;

    Call call = std::move(open.call);
    open.call.payload = PayloadId{};
    call.max_result_bytes = result_bytes(call, *ws.ad);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(open.deadline - now_);
    call.remaining_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(1, left.count()));

    session.worker->charge(ws, call.key, call.rows, call.input_bytes + call.max_result_bytes);
    session.worker->service_changed(ws, now_);
    transmit(session, std::move(call), true);
}

void BrokerMachine::cancel_at_worker(const RoutedCall& open) {
    if (open.state == RoutedCall::State::queued) return;
    if (Session* worker = sessions_.find(open.worker)) transmit(*worker, Cancel{open.key.id});
}

// ---- back to the client -----------------------------------------------------------------------

void BrokerMachine::answer_client(RoutedCall& open, Answer&& answer) {
    ++(answer.outcome == Outcome::ok ? counters_.answered_ok : counters_.answered_other);
    Session& client = *open.client;
    if (answer.chunked && answer.streamed_bytes > 0) {
        if (!client.attached()) {  // nobody to stream to: sent again when it resumes
            drop_payload(answer.payload);
            cancel_at_worker(open);
            return forget_call(open);
        }
        open.state = RoutedCall::State::streaming;
        open.output_left_bytes = answer.streamed_bytes;
        sessions_.find(open.worker)->worker->streaming.insert(open.key.id);
        return deliver(client, std::move(answer));
    }
    forget_call(open);
    deliver(client, std::move(answer));
}

void BrokerMachine::deliver(Session& client, Answer&& answer) {
    if (client.attached()) return transmit(client, std::move(answer), true);
    const std::uint64_t bytes = answer.output_bytes + answer.body_bytes;
    if (client.undelivered.size() >= limits::kept_result_count ||
        client.undelivered_bytes + bytes > limits::kept_result_bytes) {
        drop_payload(answer.payload);  // not `known` when it resumes: the client sends it again
        return;
    }
    client.undelivered_bytes += bytes;
    client.undelivered.push_back(std::move(answer));
}

void BrokerMachine::answer_without_running(RoutedCall& open, Outcome outcome, Reason reason,
                                           std::string detail) {
    Answer answer;
    answer.key = open.key;
    answer.outcome = outcome;
    answer.reason = reason;
    answer.detail = std::move(detail);
    answer.repeatable = open.repeatable;
    answer.worker = open.worker;
    answer_client(open, std::move(answer));
}

void BrokerMachine::forget_call(RoutedCall& open) {
    unqueue(open);
    drop_payload(open.call.payload);
    call_timers_.cancel(open.key.id);
    open.client->calls.erase(open.key.id);
    if (open.state == RoutedCall::State::streaming) {
        if (Session* worker = sessions_.find(open.worker)) {
            worker->worker->streaming.erase(open.key.id);
        }
    }
    calls_.erase(open);
}

void BrokerMachine::unqueue(RoutedCall& open) {
    if (open.service == nullptr) return;
    ServiceQueue& queue = open.service->queue;
    queued_bytes_ -= queue.find(open.key.id)->size_bytes;
    --queued_count_;
    queue.remove(open.key.id);
    open.service = nullptr;
}

void BrokerMachine::call_expired(CallId id) {
    RoutedCall& open = calls_.at(id);
    if (open.state == RoutedCall::State::queued) {
        Service* service = open.service;
        answer_without_running(open, Outcome::not_started, Reason::deadline,
                               "the deadline passed in the queue of the broker");
        return dispatch(*service);
    }
    // The client has ended it by itself (rule 1); the worker need not go on.
    cancel_at_worker(open);
    forget_call(open);
}

void BrokerMachine::service_absent(const std::string& name) {
    const auto found = services_.find(name);
    if (found == services_.end() || found->second.table() != nullptr) return;
    Service& service = found->second;
    while (!service.queue.empty()) {
        answer_without_running(calls_.at(service.queue.head()->id), Outcome::not_started,
                               Reason::no_service,
                               "no worker offers '" + name + "': see `farm models`");
    }
    services_.erase(found);
}

std::uint32_t BrokerMachine::retry_after_ms(const Service& service) const {
    using namespace std::chrono;
    const OfferTable* offers = service.table();
    const auto workers = static_cast<std::int64_t>(offers == nullptr ? 1 : offers->size());
    const auto drained = duration_cast<milliseconds>(service.queue.total_cost()) / workers / 4;
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(drained.count(), 50, 5000));
}

// ---- large transfers --------------------------------------------------------------------------

void BrokerMachine::client_send(Session& session, const Send& message) {
    const RoutedCall* open = calls_.find(message.key.id);
    if (open == nullptr || open->client != &session || open->key != message.key ||
        open->state != RoutedCall::State::streaming) {
        return;  // it has ended meanwhile
    }
    if (Session* worker = sessions_.find(open->worker)) transmit(*worker, message);
}

void BrokerMachine::worker_send(Session& session, const Send& message) {
    const RoutedCall* open = calls_.find_at(message.key, session.id);
    if (open == nullptr || open->state != RoutedCall::State::dispatched) return;
    transmit(*open->client, message);
}

void BrokerMachine::relay_chunk(Session& session, const Chunk& message) {
    if (message.length > limits::chunk_bytes) {
        drop_payload(message.payload);
        return refuse(session.link, RefusedReason::malformed,
                      "CHUNK.length is " + std::to_string(message.length) +
                          " (the limit through a broker is chunk_bytes, " +
                          std::to_string(limits::chunk_bytes) + ")");
    }
    RoutedCall* const open = calls_.find(message.key.id);
    const bool from_worker = session.role == Role::worker;
    const bool has_route = open != nullptr && open->key == message.key &&
                           (from_worker ? open->worker == session.id : open->client == &session);
    if (!has_route) return drop_payload(message.payload);  // its call has ended meanwhile

    RoutedCall& call = *open;
    const auto expected =
        from_worker ? RoutedCall::State::streaming : RoutedCall::State::dispatched;
    std::uint64_t& left = from_worker ? call.output_left_bytes : call.input_left_bytes;
    Session* receiver = from_worker ? call.client : sessions_.find(call.worker);
    if (call.state != expected || message.length > left || receiver == nullptr) {
        return drop_payload(message.payload);
    }
    ++counters_.relayed_chunks;
    left -= message.length;
    if (!receiver->attached()) {
        drop_payload(message.payload);
    } else {
        transmit(*receiver, message, true);
    }
    if (from_worker && left == 0) forget_call(call);
}

}  // namespace farm
