#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "schemas/call_status.h"

namespace farm {

inline constexpr std::size_t call_status_count = static_cast<std::size_t>(CallStatus::internal) + 1;

/// How an event ends: told once, from any thread, also from inside `call` itself.
using EventDone = std::function<void(CallStatus)>;

/// What is done with each event, in this order. `Event` is anything that can be made from nothing;
/// it stays at one address from `read` to `output` and is touched by one step at a time.
/// A step that throws ends its event with INTERNAL; the others go on.
template <class Event>
struct EventSteps {
    /// Serial. Fills the event; false when there are no more.
    std::function<bool(Event&)> read;
    /// Parallel, on TBB's threads. A status ends the event here: no call and no `finish`.
    std::function<std::optional<CallStatus>(Event&)> prepare;
    /// Parallel. Starts the remote call and returns; the event must outlive the call, and does.
    std::function<void(Event&, EventDone)> call;
    /// Parallel, only after a call that ended OK; its status is the event's.
    std::function<CallStatus(Event&)> finish;
    /// Serial, for every event that was read.
    std::function<void(Event&, CallStatus)> output;
};

struct EventLoopProgress {
    std::uint64_t read_count{0};
    std::uint64_t done_count{0};
    std::uint32_t most_in_flight_count{0};
    std::array<std::uint64_t, call_status_count> by_status{};

    std::uint64_t count(CallStatus status) const {
        return by_status[static_cast<std::size_t>(status)];
    }
    std::uint64_t failed_count() const { return done_count - count(CallStatus::ok); }
};

struct EventLoopOptions {
    /// Events between `prepare` and `output`, waiting for their turn included; one more may have
    /// been read. This is what bounds memory and the calls open at once. 0 is taken as 1.
    std::uint32_t in_flight_count{8};
    /// `as_read`: outputs in the order of reading; an event that is slow holds the later ones back,
    /// within in_flight_count. `as_done`: at once.
    enum class Order : std::uint8_t { as_done, as_read } order{Order::as_done};
    /// `stop_reading`: the first event that does not end OK is the last reason to read; what is in
    /// flight is finished.
    enum class OnFailure : std::uint8_t {
        keep_going,
        stop_reading
    } on_failure{OnFailure::keep_going};
    std::stop_token stop{};  ///< stops the reading; what is in flight is finished
    std::function<void(const EventLoopProgress&)> progress{};  ///< after each output, serial
};

namespace detail {
EventLoopProgress run_erased(const EventSteps<std::shared_ptr<void>>& steps,
                             const EventLoopOptions& options);
}

/// Streams events through the steps so that reading, remote calls and post-processing overlap (a
/// flow graph on oneTBB). Blocks until every event that was read has been put out. The calling
/// thread takes part; the number of threads is TBB's (tbb::global_control limits it).
template <class Event>
EventLoopProgress run_event_loop(const EventSteps<Event>& steps, const EventLoopOptions& options) {
    using Erased = std::shared_ptr<void>;
    const auto event = [](const Erased& erased) -> Event& {
        return *static_cast<Event*>(erased.get());
    };
    EventSteps<Erased> erased;
    erased.read = [&](Erased& next) {
        auto made = std::make_shared<Event>();
        next = made;
        return steps.read(*made);
    };
    erased.prepare = [&](Erased& e) { return steps.prepare(event(e)); };
    erased.call = [&](Erased& e, EventDone done) { steps.call(event(e), std::move(done)); };
    erased.finish = [&](Erased& e) { return steps.finish(event(e)); };
    erased.output = [&](Erased& e, CallStatus status) { steps.output(event(e), status); };
    return detail::run_erased(erased, options);
}

}  // namespace farm
