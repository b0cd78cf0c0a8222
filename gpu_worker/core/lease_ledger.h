#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "common/core/timer_heap.h"

namespace farm {

/// A lease is named by the broker that gave it: numbers of two brokers may be equal.
struct LeaseKey {
    std::size_t broker{0};
    std::uint64_t number{0};

    friend auto operator<=>(const LeaseKey&, const LeaseKey&) = default;
};

}  // namespace farm

template <>
struct std::hash<farm::LeaseKey> {
    std::size_t operator()(const farm::LeaseKey& key) const noexcept {
        return std::hash<std::uint64_t>{}(key.number * 31 + key.broker);
    }
};

namespace farm {

/// Calls of one service and bytes of the device.
struct Room {
    std::uint64_t calls{0};
    std::uint64_t bytes{0};

    friend bool operator==(const Room&, const Room&) = default;
};

/// A part of a broker's window that a client uses directly (rule 13).
struct LiveLease {
    ServiceIndex service;
    PeerId client;
    Room granted;
    Room used;
    TimePoint until;
    bool expired{false};   ///< takes no new calls
    bool returned{false};  ///< expired before its time: it is not taken again until then
    bool orphaned{false};  ///< its broker is gone, or it expired: it is in no window any more

    bool has_room(std::uint64_t bytes) const {
        return !expired && used.calls < granted.calls && bytes <= granted.bytes &&
               used.bytes <= granted.bytes - bytes;
    }
    /// What it keeps others from using.
    Room bound() const {
        if (expired) return used;
        return {std::max(granted.calls, used.calls), std::max(granted.bytes, used.bytes)};
    }
};

/// The leases that clients have presented to this worker, and how much of each is in use.
///
/// It keeps the numbers; whether a lease is genuine and what its room means for windows is the
/// owner's. A lease that has expired stays for as long as calls use it. Bounded by the windows that
/// leases come out of. A value, used by one thread.
class LeaseLedger {
  public:
    /// A new lease, or new terms for one that is here (its use goes on). In its broker's window.
    LiveLease& put(const LeaseKey& key, ServiceIndex service, PeerId client, Room granted,
                   TimePoint until);
    LiveLease* find(const LeaseKey& key);
    /// Requires that it is there.
    void use(const LeaseKey& key, std::uint64_t bytes);
    void give_back(const LeaseKey& key, std::uint64_t bytes);
    /// Forgets one that is expired and unused, and not held against a second use.
    void drop_if_over(const LeaseKey& key);

    /// A lease whose time has come, told once; its owner marks it.
    std::optional<LeaseKey> pop_due(TimePoint now) { return expiries_.pop_due(now); }
    std::optional<TimePoint> next_expiry() const { return expiries_.next(); }

    std::vector<LeaseKey> of_broker(std::size_t broker) const;
    /// What those bind that are in their brokers' windows.
    std::uint64_t leased_calls(ServiceIndex service) const;
    /// What orphans bind: the service's calls, and bytes of all services.
    std::uint64_t orphaned_calls(ServiceIndex service) const;
    std::uint64_t orphaned_bytes() const;
    std::size_t size() const { return leases_.size(); }

  private:
    std::map<LeaseKey, LiveLease> leases_;
    TimerHeap<LeaseKey> expiries_;
};

}  // namespace farm
