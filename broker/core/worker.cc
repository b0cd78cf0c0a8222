#include "broker/core/worker.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm {

/// An estimate from long ago may be wrong, and a worker that looks slow gets no call that could
/// correct it: an idle one is tried again when that costs it at most a twentieth of its time.
TimePoint WorkerService::next_trial() const {
    using namespace std::chrono_literals;
    return last_measured + std::max<Duration>(2s, 20 * rate.expected(std::max(1U, last_rows)));
}

WorkerService::Readiness WorkerService::readiness(TimePoint now) const {
    if (room() == 0) return {};
    if (ejected(now)) return {Readiness::State::closed, ejected_until};
    if (ejection > Duration{0} && probes > 0) return {};  // one at a time, until it proves well
    if (outstanding_count > 0) return {Readiness::State::open};
    const TimePoint trial = next_trial();
    if (now >= trial) return {Readiness::State::on_trial};
    return {Readiness::State::open, trial};
}

double WorkerService::backlog_ns(std::uint32_t extra_rows) const {
    const std::uint32_t rows = outstanding_rows + extra_rows;
    if (rows == 0) return 0;
    double total = 0;
    if (ad->batch == BatchRule::none) {
        // Every call is a run of its own; the mean call stands for those that are outstanding.
        const std::uint32_t calls = outstanding_count + (extra_rows == 0 ? 0 : 1);
        total = rate.expected_ns(std::max(1U, rows / std::max(1U, calls))) * calls;
    } else if (const std::uint32_t full = ad->max_batch_rows; full == 0 || rows <= full) {
        total = rate.expected_ns(rows);
    } else {
        total = rate.expected_ns(full) * (rows / full);
        if (rows % full != 0) total += rate.expected_ns(rows % full);
    }
    return ad->instance_count < 2 ? total : total / ad->instance_count;
}

WorkerService::FormingRun WorkerService::forming_run() const {
    std::uint32_t full = ad->max_batch_rows;
    if (rate.full_rows() != 0) full = std::min(full != 0 ? full : UINT32_MAX, rate.full_rows());
    if (ad->batch == BatchRule::none || full < 2) return {};
    const std::uint32_t rest = outstanding_rows % full;
    const bool between_runs = rest == 0 && outstanding_rows > 0;
    const double last_row_ns = rate.expected_ns(full) - rate.expected_ns(full - 1);
    return {between_runs ? 0 : full - rest, full,
            (rate.expected_ns(1) - last_row_ns) / std::max(1U, ad->instance_count)};
}

ServiceAd WorkerService::whole_ad() const {
    ServiceAd whole = *ad;
    whole.index = index;
    whole.cost = rate.curve();
    whole.direct_url = direct_url;
    return whole;
}

namespace {

auto at_or_after(std::vector<std::unique_ptr<WorkerService>>& services, ServiceIndex index) {
    return std::ranges::lower_bound(services, index, {},
                                    [](const auto& service) { return service->index; });
}

}  // namespace

WorkerService* Worker::find(ServiceIndex index) {
    const auto found = at_or_after(services, index);
    return found == services.end() || (*found)->index != index ? nullptr : found->get();
}

WorkerService& Worker::add(ServiceIndex index) {
    remove(index);
    const auto place = at_or_after(services, index);
    WorkerService& added = **services.insert(place, std::make_unique<WorkerService>());
    added.index = index;
    return added;
}

void Worker::add_lease(std::uint64_t number, const GrantedLease& lease) {
    remove_lease(number);
    leases[number] = lease;
    leased_bytes += lease.device_bytes;
    if (WorkerService* service = find(lease.service)) service->leased_count += lease.request_count;
}

void Worker::remove_lease(std::uint64_t number) {
    const GrantedLease* lease = leases.find(number);
    if (lease == nullptr) return;
    leased_bytes -= lease->device_bytes;
    if (WorkerService* service = find(lease->service)) {
        service->leased_count -= lease->request_count;
    }
    leases.erase(number);
}

bool Worker::holds_leases_of(ServiceIndex index) {
    const WorkerService* service = find(index);
    return service != nullptr &&
           service->outstanding_count + service->leased_count <= service->window_count &&
           outstanding_bytes + leased_bytes <= window_bytes;
}

void Worker::expire_leases(TimePoint now) {
    std::vector<std::uint64_t> over;
    for (const auto& [number, lease] : leases) {
        if (lease.until <= now) over.push_back(number);
    }
    for (const std::uint64_t number : over) remove_lease(number);
}

void Worker::remove(ServiceIndex index) {
    const auto found = at_or_after(services, index);
    if (found == services.end() || (*found)->index != index) return;
    own_backlog -= (*found)->counted_backlog;
    services.erase(found);
}

void Worker::charge(WorkerService& service, const CallKey& key, std::uint32_t rows,
                    std::uint64_t reserved_bytes) {
    Outstanding& call = outstanding[key];
    call.service = service.index;
    call.rows = rows;
    call.reserved_bytes = reserved_bytes;
    outstanding_bytes += reserved_bytes;
    service.outstanding_count += 1;
    service.outstanding_rows += rows;
    if (service.ejection > Duration{0}) ++service.probes;
}

WorkerService* Worker::release(const CallKey& key) {
    const Outstanding* found = outstanding.find(key);
    FARM_EXPECT(found != nullptr);
    const Outstanding& call = *found;
    outstanding_bytes -= call.reserved_bytes;
    WorkerService* service = find(call.service);
    if (service != nullptr) {
        service->outstanding_count -= 1;
        service->outstanding_rows -= call.rows;
        if (service->probes > 0) --service->probes;  // however it ended
    }
    if (call.running) std::erase(running, key);
    outstanding.erase(key);
    return service;
}

void Worker::service_changed(WorkerService& service, TimePoint now) {
    const Duration backlog = service.backlog(0);
    own_backlog += backlog - service.counted_backlog;
    service.counted_backlog = backlog;
    tell_load();
    if (service.by_version != nullptr) service.by_version->offers.set(service.place, now);
}

void Worker::changed(TimePoint now) {
    own_backlog = Duration{0};
    for (const auto& service : services) {
        service->counted_backlog = service->backlog(0);
        own_backlog += service->counted_backlog;
    }
    tell_load();
    for (const auto& service : services) {
        if (service->by_version != nullptr) service->by_version->offers.set(service->place, now);
    }
}

void Worker::tell_load() {
    const float before = load_->backlog;
    load_->backlog = open ? static_cast<float>(backlog().count()) : WorkerLoad::closed;
    load_->room = static_cast<float>(room_bytes());
    if (!streams) load_->room = -load_->room;
    if (bounded_offer_count == 0 || load_->backlog >= before) return;
    for (const auto& service : services) {
        if (service->by_version != nullptr) service->by_version->offers.lower(service->place);
    }
}

}  // namespace farm
