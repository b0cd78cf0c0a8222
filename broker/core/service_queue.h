#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "common/core/clock.h"
#include "common/core/ids.h"

namespace farm {

/// What a queue knows of a waiting call.
struct QueuedCall {
    CallId id;
    std::string tenant;
    std::uint8_t priority{100};
    TimePoint deadline;
    TimePoint arrived;
    Duration cost{0};             ///< estimated device time
    std::uint64_t size_bytes{0};  ///< held by the broker while it waits
};

/// The calls that wait for one service, in the order in which they are served: priority, then
/// deficit round robin between tenants by estimated device time (Shreedhar and Varghese, 1995),
/// then earliest deadline.
///
/// It decides the order and nothing else; limits are the caller's. Owned by one BrokerMachine.
class ServiceQueue {
  public:
    void push(QueuedCall call);
    /// The call to be served next; stays the same until the queue changes. Null when empty.
    const QueuedCall* head();
    /// Takes out the head and charges its tenant. Requires a head.
    void pop_head();
    /// False when it does not wait here.
    bool remove(CallId id);

    const QueuedCall* find(CallId id) const;
    std::size_t size() const { return calls_.size(); }
    bool empty() const { return calls_.empty(); }
    std::uint64_t size_bytes() const { return size_bytes_; }
    Duration total_cost() const { return total_cost_; }
    std::optional<TimePoint> oldest_arrival() const;
    /// Any call of the queue, for emptying it. Requires a non-empty queue.
    CallId any() const { return calls_.begin()->first; }

    /// Device time that a tenant may use in its turn.
    static constexpr Duration quantum = std::chrono::milliseconds(10);

  private:
    struct Tenant {
        std::string name;
        Duration deficit{0};
        std::set<std::pair<TimePoint, CallId>> by_deadline;
    };
    /// Tenants with waiting calls take turns from the front of `turns`.
    struct Level {
        std::deque<Tenant> turns;
    };

    void take(std::map<std::uint8_t, Level>::iterator level, std::size_t tenant, CallId id);

    std::map<std::uint8_t, Level> levels_;
    std::unordered_map<CallId, QueuedCall> calls_;
    std::uint64_t size_bytes_{0};
    Duration total_cost_{0};
};

}  // namespace farm
