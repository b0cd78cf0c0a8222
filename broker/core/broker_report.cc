#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "broker/core/broker_machine.h"

namespace farm {
namespace {

std::uint32_t to_ms(Duration duration) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

/// Generous bounds of what an entry takes in a header frame.
constexpr std::size_t entry_overhead_bytes = 128;
constexpr std::size_t cost_point_bytes = 20;

std::size_t wire_bytes_bound(const WorkerStatus& entry) {
    return entry_overhead_bytes + entry.name.size() + entry.device_name.size();
}

std::size_t wire_bytes_bound(const ServiceStatus& entry) {
    return entry_overhead_bytes + entry.name.size() + entry.worker.size() + entry.backend.size() +
           std::min(entry.failure.size(), limits::detail_bytes) +
           cost_point_bytes * entry.cost.size();
}

std::size_t wire_bytes_bound(const QueueStatus& entry) {
    return entry_overhead_bytes + entry.service.size();
}

WorkerStatus describe(const Session& session, TimePoint now, const Timing& timing) {
    const Worker& worker = *session.worker;
    WorkerStatus status;
    status.name = session.name;
    if (!worker.services.empty()) status.device_name = worker.services.back()->ad->device_name;
    status.state = !session.attached()                                  ? "detached"
                   : session.draining                                   ? "draining"
                   : now >= session.last_heard + timing.suspect_after() ? "suspect"
                                                                        : "ready";
    status.outstanding_count = static_cast<std::uint32_t>(worker.outstanding.size());
    status.outstanding_bytes = worker.outstanding_bytes;
    status.done_count = worker.done_count;
    status.failed_count = worker.failed_count;
    status.backlog_ns = static_cast<std::uint64_t>(worker.backlog().count());
    status.heard_ms_ago = to_ms(now - session.last_heard);
    status.device = worker.device;
    return status;
}

ServiceStatus describe(const WorkerService& service, const std::string& worker, TimePoint now) {
    ServiceStatus status;
    status.name = service_name(service.ad->model, service.ad->version);
    status.worker = worker;
    status.backend = service.ad->backend;
    status.failure = service.ad->failure;
    status.window_count = service.window_count;
    status.outstanding_count = service.outstanding_count;
    status.done_count = service.done_count;
    const std::uint32_t rows = std::max(1U, service.ad->max_batch_rows);
    status.row_ns = static_cast<std::uint64_t>(service.rate.expected(rows).count()) / rows;
    status.ejected = service.ejected(now);
    status.cost = service.rate.curve();
    return status;
}

}  // namespace

StatusReport BrokerMachine::report(TimePoint now) const {
    StatusReport report;
    BrokerStatus& broker = report.broker;
    broker.name = options_.name;
    broker.version = options_.version;
    broker.uptime_ms = static_cast<std::uint64_t>(to_ms(now - start_));
    broker.accepted_count = counters_.accepted;
    broker.answered_ok_count = counters_.answered_ok;
    broker.answered_other_count = counters_.answered_other;
    broker.refused_count = counters_.refused;
    broker.queued_bytes = queued_bytes_;
    broker.draining = draining_;
    for (const auto& [id, session] : sessions_) {
        if (!session->worker) {
            ++broker.client_count;
            continue;
        }
        ++broker.worker_count;
        report.workers.push_back(describe(*session, now, options_.timing));
        for (const auto& service : session->worker->services) {
            report.services.push_back(describe(*service, session->name, now));
        }
    }
    for (const auto& [name, service] : services_) {
        const auto oldest = service.queue.oldest_arrival();
        report.queues.push_back({name, static_cast<std::uint32_t>(service.queue.size()),
                                 service.queue.size_bytes(), oldest ? to_ms(now - *oldest) : 0});
    }
    std::ranges::sort(report.queues, {}, &QueueStatus::service);
    std::sort(report.workers.begin(), report.workers.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    std::sort(report.services.begin(), report.services.end(), [](const auto& a, const auto& b) {
        return std::tie(a.name, a.worker) < std::tie(b.name, b.worker);
    });
    return report;
}

/// Pages over workers, then services, then queues: `cursor` counts entries of all three.
void BrokerMachine::status(Session& session, const Status& message) {
    StatusReport whole = report(now_);
    StatusReport page;
    page.broker = whole.broker;
    std::uint64_t at = 0;
    std::uint64_t taken = 0;
    std::size_t bytes = 0;
    bool is_full = false;
    const auto take = [&](auto& from, auto& into) {
        for (auto& entry : from) {
            if (at++ < message.cursor || is_full) continue;
            bytes += wire_bytes_bound(entry);
            is_full =
                taken != 0 && (taken == limits::page_entry_count || bytes > limits::page_bytes);
            if (is_full) continue;
            into.push_back(std::move(entry));
            ++taken;
        }
    };
    take(whole.workers, page.workers);
    take(whole.services, page.services);
    take(whole.queues, page.queues);
    if (message.cursor + taken < at) page.next = message.cursor + taken;
    transmit(session, std::move(page));
}

void BrokerMachine::list(Session& session, const List& message) {
    std::map<std::string_view, const OfferTable*> offered;
    for (const auto& [name, service] : services_) {
        if (service.offers.empty()) continue;
        if (!message.model.empty() && service.offers[0].service->ad->model != message.model) {
            continue;
        }
        offered.emplace(name, &service.offers);
    }
    Catalog page;
    std::uint64_t at = 0;
    std::size_t bytes = 0;
    for (const auto& [name, offers] : offered) {
        if (at++ < message.cursor) continue;
        CatalogEntry entry;
        entry.service = (*offers)[0].service->whole_ad();
        entry.worker_count = static_cast<std::uint32_t>(offers->size());
        bytes += wire_bytes_bound(entry.service);
        if (!page.entries.empty() &&
            (bytes > limits::page_bytes || page.entries.size() == limits::page_entry_count)) {
            page.next = at - 1;
            break;
        }
        page.entries.push_back(std::move(entry));
    }
    transmit(session, std::move(page));
}

void BrokerMachine::drain(Session& session, const Drain& message) {
    if (session.role == Role::worker) {
        session.draining = true;
        worker_changed(session);
        note(NoteLevel::info, session.name + " drains");
        return;
    }
    if (!session.rights.admin) {
        return refuse(session.link, RefusedReason::unauthorized, "this key may not drain");
    }
    if (message.worker.empty() || message.worker == options_.name) {
        status(session, Status{});
        return begin_drain();
    }
    for (const auto& [id, other] : sessions_) {
        if (other->worker && other->name == message.worker) transmit(*other, Drain{message.worker});
    }
    status(session, Status{});
}

void BrokerMachine::begin_drain() {
    if (draining_) return;
    draining_ = true;
    drain_until_ = now_ + options_.drain_timeout;
    note(NoteLevel::info, "draining: " + std::to_string(calls_.size()) + " calls to finish");
}

void BrokerMachine::drain_due() {
    if (finished_ || (!calls_.empty() && now_ < drain_until_)) return;
    finished_ = true;
    for (const CallId& id : calls_.ids()) {
        RoutedCall& call = calls_.at(id);
        const bool queued = call.state == RoutedCall::State::queued;
        answer_without_running(call, queued ? Outcome::not_started : Outcome::lost,
                               Reason::draining, "the broker left before the call was done");
    }
    for (const auto& [id, session] : sessions_) transmit(*session, Goodbye{"broker drained"});
    out_->push_back(BrokerFinished{});
}

}  // namespace farm
