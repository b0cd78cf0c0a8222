#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/ids.h"
#include "common/core/pool.h"
#include "common/core/timer_heap.h"

namespace farm {

/// What a queue knows of a waiting call.
struct QueuedCall {
    CallId id;
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
/// It decides the order and nothing else; limits are the caller's. It allocates only when more
/// waits than ever before. Owned by one BrokerMachine.
class ServiceQueue {
  public:
    /// Requires that no call of that id waits here.
    void push(const QueuedCall& call, std::string_view tenant);
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

    /// Device time that a tenant may use in its turn.
    static constexpr Duration quantum = std::chrono::milliseconds(10);

  private:
    /// The calls of one tenant at one priority.
    struct Turn {
        std::uint8_t priority{0};
        std::string tenant;
        Duration deficit{0};
        TimerHeap<CallId> by_deadline;
    };
    struct Waiting {
        QueuedCall call;
        Turn* turn{nullptr};
    };

    Turn& turn_of(std::uint8_t priority, std::string_view tenant);
    std::span<Turn*> first_level();
    void take(CallId id);

    std::vector<Turn*> turns_;  ///< ascending in priority; in each the first is served next
    Pool<Turn> turn_storage_;
    FlatMap<CallId, Waiting> calls_;
    std::uint64_t size_bytes_{0};
    Duration total_cost_{0};
};

}  // namespace farm
