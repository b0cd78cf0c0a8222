#include "broker/core/worker.h"

#include <algorithm>

namespace farm {

bool WorkerService::wants_trial(TimePoint now) const {
    using namespace std::chrono_literals;
    const Duration pause = std::max<Duration>(2s, 20 * rate.expected(std::max(1U, last_rows)));
    return outstanding_count == 0 && now >= last_measured + pause;
}

Duration WorkerService::backlog(std::uint32_t extra_rows) const {
    const std::uint32_t rows = outstanding_rows + extra_rows;
    if (rows == 0) return Duration{0};
    Duration total{0};
    if (ad.batch == BatchRule::none) {
        // Every call is a run of its own; the mean call stands for those that are outstanding.
        const std::uint32_t calls = outstanding_count + (extra_rows == 0 ? 0 : 1);
        total = rate.expected(std::max(1U, rows / std::max(1U, calls))) * calls;
    } else {
        const std::uint32_t full = ad.max_batch_rows == 0 ? rows : ad.max_batch_rows;
        total = rate.expected(full) * (rows / full);
        if (rows % full != 0) total += rate.expected(rows % full);
    }
    return total / std::max(1U, ad.instance_count);
}

WorkerService* Worker::find(ServiceIndex index) {
    const auto found = services.find(index);
    return found == services.end() ? nullptr : &found->second;
}

Duration Worker::backlog() const {
    Duration total = foreign_backlog;
    for (const auto& [index, service] : services) total += service.backlog(0);
    return total;
}

void Worker::add_lease(std::uint64_t number, const GrantedLease& lease) {
    remove_lease(number);
    leases.emplace(number, lease);
    leased_bytes += lease.device_bytes;
    if (WorkerService* service = find(lease.service)) service->leased_count += lease.request_count;
}

void Worker::remove_lease(std::uint64_t number) {
    const auto found = leases.find(number);
    if (found == leases.end()) return;
    const GrantedLease& lease = found->second;
    leased_bytes -= lease.device_bytes;
    if (WorkerService* service = find(lease.service)) service->leased_count -= lease.request_count;
    leases.erase(found);
}

void Worker::expire_leases(TimePoint now) {
    std::vector<std::uint64_t> over;
    for (const auto& [number, lease] : leases) {
        if (lease.until <= now) over.push_back(number);
    }
    for (const std::uint64_t number : over) remove_lease(number);
}

bool Worker::release(const CallKey& key) {
    const auto found = outstanding.find(key);
    if (found == outstanding.end()) return false;
    const Outstanding& call = found->second;
    outstanding_bytes -= call.reserved_bytes;
    if (WorkerService* service = find(call.service)) {
        service->outstanding_count -= 1;
        service->outstanding_rows -= call.rows;
        if (service->probes > 0) --service->probes;  // however it ended
    }
    if (call.running) std::erase(running, key);
    outstanding.erase(found);
    return true;
}

}  // namespace farm
