#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/pool.h"
#include "schemas/messages.h"

namespace farm {

struct Service;
struct Session;

/// A call that goes by way of this broker, from its CALL until its answer has left (its last byte,
/// when it is streamed).
struct RoutedCall {
    enum class State : std::uint8_t { queued, dispatched, streaming };

    CallKey key;
    Session* client{nullptr};  ///< its calls leave with it
    TimePoint deadline;
    State state{State::queued};
    Call call;                  ///< as it came, until it is sent to a worker
    Service* service{nullptr};  ///< while queued
    SessionId worker;           ///< once dispatched
    bool repeatable{true};
    std::uint64_t input_left_bytes{0};   ///< still to be relayed to the worker
    std::uint64_t output_left_bytes{0};  ///< still to be relayed to the client
};

/// The open calls of a broker, by id. Each stays where it is until it is erased; storage is used
/// again, so that calls come and go without allocating. Bounded by the sessions' limits and those
/// of the queues. Owned by one BrokerMachine.
class RoutedCalls {
  public:
    RoutedCall& add(const CallId& id) {
        RoutedCall* const added = storage_.take();
        *added = RoutedCall{};
        by_id_[id] = added;
        return *added;
    }
    /// Null when it is not open (any more).
    RoutedCall* find(const CallId& id) {
        RoutedCall** const found = by_id_.find(id);
        return found == nullptr ? nullptr : *found;
    }
    /// Requires that it is open.
    RoutedCall& at(const CallId& id) { return *by_id_.at(id); }
    /// The same call, if this attempt of it is at this worker.
    RoutedCall* find_at(const CallKey& key, SessionId worker) {
        RoutedCall* const found = find(key.id);
        return found != nullptr && found->key == key && found->worker == worker ? found : nullptr;
    }
    void erase(RoutedCall& call) {
        by_id_.erase(call.key.id);
        storage_.give_back(&call);
    }

    std::size_t size() const { return by_id_.size(); }
    bool empty() const { return by_id_.empty(); }
    /// For a walk that erases.
    std::vector<CallId> ids() const { return by_id_.keys(); }

  private:
    Pool<RoutedCall> storage_;
    FlatMap<CallId, RoutedCall*> by_id_;
};

}  // namespace farm
