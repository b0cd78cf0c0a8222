#include <algorithm>
#include <chrono>
#include <utility>

#include "gpu_worker/core/worker_machine.h"

namespace farm {

namespace {

constexpr int curve_pause_beats = 5;

}  // namespace

void WorkerMachine::plan_windows() {
    if (!std::exchange(plan_due_, false)) return;
    std::vector<std::uint64_t> demand(contacts_.size(), 0);
    std::uint64_t largest_call = 0;
    std::vector<bool> changed(contacts_.size(), false);
    for (auto& [index, service] : services_) {
        const std::uint64_t orphaned = leases_.orphaned_calls(index);
        std::uint64_t capacity = draining_ ? 0 : service.capacity();
        // Leases were given out of a window that should become smaller: it waits until they end,
        // so that a routed call does not.
        if (capacity > 0) {
            capacity = std::max(
                capacity, std::min(leases_.leased_calls(index) + 1, service.windows.capacity()));
        }
        service.windows.set_capacity(capacity - std::min(capacity, orphaned), 1);
        if (service.serves()) largest_call = std::max(largest_call, service.ad.max_call_bytes);
        for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
            const std::uint64_t calls =
                service.queue_depths[broker] + service.windows.outstanding(broker);
            service.windows.set_demand(broker, calls);
            demand[broker] += calls;
        }
        service.windows.plan();
        for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
            changed[broker] = changed[broker] || service.windows.changed(broker);
        }
    }
    // Answers that stream out are not outstanding any more, but they still take memory.
    const std::uint64_t taken =
        std::min(kept_.streaming_bytes() + direct_.streaming_bytes() + leases_.orphaned_bytes(),
                 options_.device_bytes);
    bytes_.set_capacity(draining_ ? 0 : options_.device_bytes - taken, largest_call);
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        bytes_.set_demand(broker, demand[broker]);
    }
    bytes_.plan();
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (changed[broker] || bytes_.changed(broker)) contacts_[broker].credit_due = true;
    }
}

void WorkerMachine::send_credit(BrokerNumber broker) {
    BrokerContact& contact = contacts_[broker];
    contact.credit_due = false;
    Credit credit;
    credit.sequence = ++contact.credit_sequence;
    credit.device_bytes = bytes_.window(broker);
    bytes_.sent(broker, credit.sequence);
    for (auto& [index, service] : services_) {
        service.windows.sent(broker, credit.sequence);
        if (!service.serves()) continue;
        credit.windows.push_back(
            {index, static_cast<std::uint32_t>(service.windows.window(broker))});
    }
    credit.clock_ms = milliseconds_of(now_);
    transmit(broker, std::move(credit));
}

void WorkerMachine::send_beat(BrokerNumber broker) {
    BrokerContact& contact = contacts_[broker];
    contact.beat_due = false;
    Beat beat;
    beat.credit_sequence = contact.credit_sequence;
    beat.foreign_backlog_ns = foreign_backlog_ns(broker);
    beat.device = device_use_;
    for (const auto& [id, run] : runs_) {
        for (const CallKey& key : run.calls) {
            if (calls_.find(key)->asked_by(broker)) beat.running.push_back(key);
        }
    }
    transmit(broker, std::move(beat));
}

/// Rule 14: what the other brokers' calls will cost, so that every broker schedules on the truth.
std::uint64_t WorkerMachine::foreign_backlog_ns(BrokerNumber broker) const {
    using namespace std::chrono_literals;
    if (contacts_.size() < 2 && direct_.size() == 0) return 0;
    Duration sum{0};
    for (const auto& [key, call] : calls_.all()) {
        if (call->asked_by(broker)) continue;
        sum += std::clamp<Duration>(services_.at(call->service).cost_of(call->rows), 0s, 1h);
    }
    return std::min(static_cast<std::uint64_t>(sum.count()), longest_device_ns);
}

/// Brokers schedule by the curve that was learned, and `farm status` shows theirs. At a beat, and
/// for each service once in a few beats at most.
void WorkerMachine::tell_curves() {
    Duration beat{0};
    for (const BrokerContact& contact : contacts_) {
        if (contact.serving() && contact.beat_due)
            beat = std::max<Duration>(beat, contact.timing.beat);
    }
    if (draining_ || beat == Duration{0}) return;
    for (auto& [index, service] : services_) {
        if (now_ < service.curve_due || !service.take_over_curve()) continue;
        service.curve_due = now_ + curve_pause_beats * beat;
        for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
            if (contacts_[broker].serving()) transmit(broker, advertisement(broker, {service.ad}));
        }
    }
}

void WorkerMachine::on(BrokerNumber broker, const Beat& beat) {
    kept_.acknowledge(broker, beat.result_sequence);
    bytes_.acknowledge(broker, beat.credit_sequence);
    for (auto& [index, service] : services_) {
        service.windows.acknowledge(broker, beat.credit_sequence);
        service.queue_depths[broker] = 0;
    }
    for (const QueueDepth& depth : beat.depths) {
        if (HostedService* service = find_service(depth.service)) {
            service->queue_depths[broker] = depth.queued_count;
        }
    }
    plan_due_ = true;
}

}  // namespace farm
