#include <algorithm>
#include <utility>

#include "broker/core/broker_machine.h"

namespace farm {

Service* BrokerMachine::service_named(const std::string& name) {
    if (const auto found = services_.find(name); found != services_.end()) return &found->second;
    if (services_.size() >= limits::service_count) return nullptr;
    Service& service = services_[name];
    service.name = name;
    service.absent_since = start_;
    return &service;
}

namespace {

bool differ_in_cost_only(const WorkerService& known, ServiceAd now) {
    const ServiceAd before = known.whole_ad();
    now.cost = before.cost;
    return before == now;
}

}  // namespace

/// A worker that has only learned more of its speed keeps its windows, its place in the rotation
/// and what it has done.
void BrokerMachine::advertise(Session& session, const Advertise& message) {
    Worker& worker = *session.worker;
    worker.lease_key = message.lease_key;
    worker.worker_key = message.worker_key;
    worker.same_host = message.same_host;
    for (const ServiceAd& ad : message.services) {
        WorkerService* known = worker.find(ad.index);
        if (known != nullptr && differ_in_cost_only(*known, ad)) {
            if (ad.cost != known->rate.curve()) known->rate.take_curve(ad.cost);
            worker.service_changed(*known, now_);
            continue;
        }
        remove_service(session, ad.index);
        if (worker.services.size() >= limits::services_per_worker_count) {
            note(NoteLevel::warning, session.name + " offers more than " +
                                         std::to_string(limits::services_per_worker_count) +
                                         " services: '" + ad.model + "' is left out");
            continue;
        }
        WorkerService& service = worker.add(ad.index);
        service.ad = ads_.share(ad);
        service.direct_url = ad.direct_url;
        service.rate = RateEstimate(ad.cost, ad.batch);
        for (const auto& [key, call] : worker.outstanding) {
            if (call.service != ad.index) continue;
            service.outstanding_count += 1;
            service.outstanding_rows += call.rows;
        }
        for (const auto& [number, lease] : worker.leases) {
            if (lease.service == ad.index) service.leased_count += lease.request_count;
        }
        if (!ad.failure.empty()) {
            note(NoteLevel::warning, session.name + " could not load " +
                                         service_name(ad.model, ad.version) + ": " + ad.failure);
            continue;
        }
        if (!name_offer(session, service)) {
            note(NoteLevel::error, "this broker remembers " +
                                       std::to_string(limits::service_count) +
                                       " service names, its limit: '" + ad.model + "' of " +
                                       session.name + " is left out");
            continue;
        }
        worker.service_changed(service, now_);
        note(NoteLevel::info, session.name + " offers " + service_name(ad.model, ad.version));
    }
}

/// False when one of its names cannot be remembered.
bool BrokerMachine::name_offer(Session& session, WorkerService& service) {
    const ServiceAd& ad = *service.ad;
    service.by_version = service_named(service_name(ad.model, ad.version));
    if (service.by_version == nullptr) return false;
    service.by_version->offers.add({&session, &service}, now_);
    absence_timers_.cancel(service.by_version->name);
    if (!ad.latest) return true;
    service.by_model = service_named(ad.model);
    if (service.by_model == nullptr) return false;
    Service::Version& version = service.by_model->versions[ad.version];
    version.service = service.by_version;
    ++version.latest_count;
    absence_timers_.cancel(service.by_model->name);
    return true;
}

void BrokerMachine::withdraw(Session& session, const Withdraw& message) {
    for (ServiceIndex index : message.services) remove_service(session, index);
}

void BrokerMachine::remove_service(Session& session, ServiceIndex index) {
    WorkerService* service = session.worker->find(index);
    if (service == nullptr) return;
    if (Service* model = service->by_model) {
        const auto version = model->versions.find(service->ad->version);
        if (--version->second.latest_count == 0) model->versions.erase(version);
        if (model->table() == nullptr) last_offer_left(*model);
    }
    if (Service* named = service->by_version) {
        named->offers.remove(service->place);
        if (named->offers.empty()) last_offer_left(*named);
    }
    std::shared_ptr<const ServiceAd> ad = std::move(service->ad);
    session.worker->remove(index);
    ads_.release(std::move(ad));
}

void BrokerMachine::last_offer_left(Service& service) {
    service.absent_since = now_;
    absence_timers_.set(service.name, now_ + no_service_grace(options_.timing, options_.back_off));
}

void BrokerMachine::credit(Session& session, const Credit& message) {
    Worker& worker = *session.worker;
    if (message.sequence < worker.credit_sequence) return;  // older than what we have
    worker.credit_sequence = message.sequence;
    worker.window_bytes = message.device_bytes;
    worker.clock_ms = message.clock_ms;
    worker.clock_read_at = now_;
    worker.expire_leases(now_);
    for (const auto& service : worker.services) service->window_count = 0;
    for (const ServiceWindow& window : message.windows) {
        if (WorkerService* service = worker.find(window.service)) {
            service->window_count = window.request_count;
        }
    }
    worker.changed(now_);
    serve_worker(session);
}

void BrokerMachine::worker_beat(Session& session, const Beat& message) {
    Worker& worker = *session.worker;
    worker.device = message.device;
    const Duration foreign(static_cast<std::int64_t>(message.foreign_backlog_ns));
    if (std::exchange(worker.foreign_backlog, foreign) != foreign) worker.changed(now_);
    std::erase_if(worker.running, [&](const CallKey& key) {
        if (std::ranges::find(message.running, key) != message.running.end()) return false;
        worker.outstanding.at(key).running = false;
        return true;
    });
    started(session, Started{message.running});
    serve_worker(session);  // it may have been suspect, or out of rotation, until now
}

void BrokerMachine::started(Session& session, const Started& message) {
    Worker& worker = *session.worker;
    for (const CallKey& key : message.calls) {
        Outstanding* const call = worker.outstanding.find(key);
        if (call == nullptr || std::exchange(call->running, true)) continue;
        call->started = now_;
        worker.running.push_back(key);
    }
}

void BrokerMachine::check_overdue(Session& session) {
    using namespace std::chrono_literals;
    Worker& worker = *session.worker;
    const std::vector<CallKey> running = worker.running;
    for (const CallKey& key : running) {
        Outstanding& call = worker.outstanding.at(key);
        WorkerService* service = worker.find(call.service);
        if (service == nullptr || call.overdue) continue;
        const Duration allowed = std::max<Duration>(30s, 10 * service->rate.expected(call.rows));
        if (now_ < call.started + allowed) continue;
        call.overdue = true;
        eject(*service);
        worker.service_changed(*service, now_);
        RoutedCall* const open = calls_.find_at(key, session.id);
        if (open == nullptr) continue;
        answer_without_running(*open, Outcome::device_fault, Reason::run_overdue,
                               "the run on " + session.name + " took longer than allowed");
    }
}

void BrokerMachine::worker_answer(Session& session, Answer&& message) {
    Worker& worker = *session.worker;
    worker.result_sequence = std::max(worker.result_sequence, message.sequence);
    // It keeps results until they are acknowledged: do not let it run out of room.
    if (worker.result_sequence >= worker.acknowledged_sequence + limits::kept_result_count / 4) {
        beat(session);
    }
    if (!worker.outstanding.contains(message.key)) {  // a duplicate, or of a session before
        drop_payload(message.payload);
        return;
    }
    ++(message.outcome == Outcome::ok ? worker.done_count : worker.failed_count);
    if (WorkerService* service = worker.release(message.key)) {
        learn(*service, message);
        worker.service_changed(*service, now_);
    }

    if (RoutedCall* const open = calls_.find_at(message.key, session.id)) {
        message.worker = session.id;
        message.sequence = 0;
        message.repeatable = open->repeatable;
        answer_client(*open, std::move(message));
    } else {
        drop_payload(message.payload);  // the client has given up on it
        const bool is_waiting_for_send = message.chunked && calls_.find(message.key.id) == nullptr;
        if (is_waiting_for_send) transmit(session, Cancel{message.key.id});
    }
    serve_worker(session);
}

void BrokerMachine::learn(WorkerService& service, const Answer& message) {
    switch (message.outcome) {
        case Outcome::ok:
            ++service.done_count;
            service.rate.observe(message.timings.run_rows, message.timings.compute_ns);
            service.last_measured = now_;
            service.last_rows = message.timings.run_rows;
            service.ejection = Duration{0};
            service.probes = 0;
            return;
        case Outcome::device_fault: return eject(service);
        default: service.probes = 0;  // an input_error or a refusal says nothing about the device
    }
}

void BrokerMachine::eject(WorkerService& service) {
    using namespace std::chrono_literals;
    if (service.by_version == nullptr || service.ejected(now_)) return;
    const auto offers = service.by_version->offers.offers();
    const auto out = static_cast<std::size_t>(std::ranges::count_if(
        offers, [this](const Offer& offer) { return offer.service->ejected(now_); }));
    if (2 * (out + 1) > offers.size()) return;  // rule 8: never more than half
    service.ejection = std::clamp<Duration>(2 * service.ejection, 1s, 60s);
    service.ejected_until = now_ + service.ejection;
    service.probes = 0;
    note(NoteLevel::warning, "took " + service.by_version->name +
                                 " of one worker out of rotation for " +
                                 std::to_string(service.ejection / 1s) + " s");
}

void BrokerMachine::resume_worker(Session& session, const Hello& message) {
    Worker& worker = *session.worker;
    worker.window_bytes = 0;  // until the next CREDIT
    worker.credit_sequence = 0;
    worker.result_sequence = 0;
    worker.acknowledged_sequence = 0;
    const std::unordered_set<CallKey> held(message.open.begin(), message.open.end());
    std::vector<CallKey> missing;
    for (const auto& [key, call] : worker.outstanding) {
        if (!held.contains(key)) missing.push_back(key);
    }
    for (const CallKey& key : missing) {
        worker.release(key);
        RoutedCall* const open = calls_.find_at(key, session.id);
        if (open == nullptr) continue;
        answer_without_running(*open, Outcome::not_started, Reason::worker_lost,
                               "the connection broke before the call reached " + session.name);
    }
    worker_changed(session);
}

void BrokerMachine::lose_worker_calls(Session& session, bool died) {
    Worker& worker = *session.worker;
    for (const CallKey& key : worker.outstanding.keys()) {
        const bool was_running = worker.outstanding.at(key).running;
        worker.release(key);
        RoutedCall* const open = calls_.find_at(key, session.id);
        if (open == nullptr) continue;
        Answer answer;
        answer.key = key;
        answer.outcome = Outcome::lost;
        answer.reason = Reason::worker_lost;
        answer.was_running = died && was_running;
        answer.repeatable = open->repeatable;
        answer.worker = session.id;
        answer.detail = "worker " + session.name + " was lost";
        answer_client(*open, std::move(answer));
    }
    abort_streams(session);
}

void BrokerMachine::serve_worker(Session& session) {
    keep_promises(session);
    for (const auto& service : session.worker->services) {
        if (queued_count_ == 0) return;
        if (service->by_version != nullptr) dispatch(*service->by_version);
        if (service->by_model != nullptr) dispatch(*service->by_model);
    }
}

}  // namespace farm
