#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/pool.h"
#include "common/core/timer_heap.h"
#include "common/core/transfer.h"
#include "gpu_worker/core/lease_ledger.h"
#include "schemas/limits.h"
#include "schemas/messages.h"

namespace farm {

/// A call between its CALL and its RESULT.
struct HeldCall {
    enum class State : std::uint8_t {
        receiving,  ///< chunks of its inputs are coming
        queued,     ///< whole, in the batcher of its service
        running,    ///< the rim has its payload
    };

    /// The stream of its inputs; only while receiving.
    struct Intake {
        LinkId link;  ///< by which it comes
        std::vector<LargeTensor> large;
        IncomingTransfer transfer;
    };

    CallKey key;
    State state{State::queued};
    ServiceIndex service;
    std::uint32_t rows{1};       ///< as the batch rule counts them
    std::uint32_t said_rows{1};  ///< as CALL says: what brokers know of its size
    std::uint64_t shape_class{0};
    std::uint8_t priority{100};
    bool suspect{false};
    std::uint64_t input_bytes{0};
    std::uint64_t max_result_bytes{0};
    PayloadId payload;  ///< none while running
    TimePoint arrived;
    TimePoint deadline;
    std::optional<Intake> intake;
    /// Brokers that sent it in a session of theirs: each gets the RESULT, once.
    std::bitset<limits::broker_count> askers;
    /// Direct path: who sent it, and under which lease. Then there are no other askers.
    LinkId client;
    LeaseKey lease;

    std::uint64_t reserved_bytes() const { return input_bytes + max_result_bytes; }
    bool asked_by(std::size_t broker) const { return askers.test(broker); }
    bool is_wanted() const { return askers.any() || client; }
};

/// The calls that this worker holds, by (call, attempt), with the deadlines of those that do not
/// run yet. Each stays where it is until it is erased; storage is used again. Bounded by the
/// windows that its owner grants. A value.
class HeldCalls {
  public:
    using Map = FlatMap<CallKey, HeldCall*>;

    HeldCall& add(HeldCall call);
    HeldCall* find(const CallKey& key);
    void erase(HeldCall& call);
    void started(HeldCall& call);

    /// Attempts of this call.
    std::vector<CallKey> attempts(const CallId& id) const;
    /// In the order of their keys, so that a simulation repeats.
    std::vector<CallKey> asked_by(std::size_t broker) const;

    /// A call whose deadline has passed before it ran; its deadline is forgotten.
    std::optional<CallKey> pop_expired(TimePoint now) { return deadlines_.pop_due(now); }
    std::optional<TimePoint> next_deadline() const { return deadlines_.next(); }

    const Map& all() const { return by_key_; }
    bool empty() const { return by_key_.empty(); }

  private:
    Pool<HeldCall> storage_;
    Map by_key_;
    TimerHeap<CallKey> deadlines_;
};

}  // namespace farm
