#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "common/core/clock.h"
#include "common/core/expect.h"
#include "common/core/ids.h"
#include "cpu_client/lib/loop_turns.h"

namespace farm {

class ClientEngine;

/// Where a value will be. Guarded by the engine's mutex until it is ready.
template <class T>
struct FutureState : Awaited {
    std::optional<T> value;
};

/// Waits for it on behalf of this thread; true when it is ready.
bool await(ClientEngine& engine, Awaited& awaited, std::optional<TimePoint> until);

/// The result of a call that is under way.
///
/// Waiting drives the client's network loop, unless another thread does at the moment. A call
/// always ends, at the latest one beat after its deadline, so get() needs no limit. Dropping a
/// Future does not cancel the call. It may outlive its Client (the call then ends CANCELLED).
/// Threads: one Future belongs to one thread at a time; several may wait for several.
template <class T>
class Future {
  public:
    Future() = default;
    Future(std::shared_ptr<ClientEngine> engine, std::shared_ptr<FutureState<T>> state, CallId id)
        : engine_(std::move(engine)), state_(std::move(state)), id_(id) {}

    bool valid() const { return state_ != nullptr; }
    /// For Client::cancel and for logs.
    CallId id() const { return id_; }

    /// Waits and takes the value; afterwards the Future is not valid.
    T get() {
        FARM_EXPECT(valid());
        await(*engine_, *state_, std::nullopt);
        T value = *std::move(state_->value);
        state_.reset();
        engine_.reset();
        return value;
    }
    /// True when get() will not wait; 0 just looks, and lets the loop make a turn.
    bool wait_for(std::chrono::nanoseconds duration) const {
        FARM_EXPECT(valid());
        return await(*engine_, *state_, steady_now() + duration);
    }
    /// Whether it is there, without doing anything for it.
    bool ready() const;

  private:
    std::shared_ptr<ClientEngine> engine_;
    std::shared_ptr<FutureState<T>> state_;
    CallId id_;
};

/// Looks without waiting and without driving the loop.
bool is_ready(ClientEngine& engine, const Awaited& awaited);

template <class T>
bool Future<T>::ready() const {
    FARM_EXPECT(valid());
    return is_ready(*engine_, *state_);
}

}  // namespace farm
