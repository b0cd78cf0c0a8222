#include "gpu_worker/core/lease_ledger.h"

#include "common/core/expect.h"

namespace farm {

LiveLease& LeaseLedger::put(const LeaseKey& key, ServiceIndex service, PeerId client, Room granted,
                            TimePoint until) {
    LiveLease& lease = leases_[key];
    lease.service = service;
    lease.client = client;
    lease.granted = granted;
    lease.until = until;
    lease.expired = lease.orphaned = false;
    expiries_.set(key, until);
    return lease;
}

LiveLease* LeaseLedger::find(const LeaseKey& key) {
    const auto found = leases_.find(key);
    return found == leases_.end() ? nullptr : &found->second;
}

void LeaseLedger::use(const LeaseKey& key, std::uint64_t bytes) {
    LiveLease& lease = leases_.at(key);
    lease.used.calls += 1;
    lease.used.bytes += bytes;
}

void LeaseLedger::give_back(const LeaseKey& key, std::uint64_t bytes) {
    LiveLease& lease = leases_.at(key);
    FARM_EXPECT(lease.used.calls > 0 && lease.used.bytes >= bytes);
    lease.used.calls -= 1;
    lease.used.bytes -= bytes;
}

void LeaseLedger::drop_if_over(const LeaseKey& key) {
    const auto found = leases_.find(key);
    if (found == leases_.end()) return;
    const LiveLease& lease = found->second;
    if (!lease.expired || lease.returned || lease.used.calls > 0) return;
    expiries_.cancel(key);
    leases_.erase(found);
}

std::vector<LeaseKey> LeaseLedger::of_broker(std::size_t broker) const {
    std::vector<LeaseKey> keys;
    for (const auto& [key, lease] : leases_) {
        if (key.broker == broker) keys.push_back(key);
    }
    return keys;
}

std::uint64_t LeaseLedger::leased_calls(ServiceIndex service) const {
    std::uint64_t sum = 0;
    for (const auto& [key, lease] : leases_) {
        if (!lease.orphaned && lease.service == service) sum += lease.bound().calls;
    }
    return sum;
}

std::uint64_t LeaseLedger::orphaned_calls(ServiceIndex service) const {
    std::uint64_t sum = 0;
    for (const auto& [key, lease] : leases_) {
        if (lease.orphaned && lease.service == service) sum += lease.bound().calls;
    }
    return sum;
}

std::uint64_t LeaseLedger::orphaned_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [key, lease] : leases_) {
        if (lease.orphaned) sum += lease.bound().bytes;
    }
    return sum;
}

}  // namespace farm
