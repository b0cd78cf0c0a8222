#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/load/latencies.h"
#include "common/core/clock.h"

namespace farm::bench {

/// Keeps `load.outstanding` calls open: each answer is followed by the next question at once, until
/// the time is up or the number of calls is reached; then waits for those that are open.
///
/// `ask(slot)` sends the question of a slot (0 to outstanding - 1), `take()` waits for an answer
/// and gives its slot; both return Result. A path whose answers come in the order of the questions
/// gives 0, 1, ... outstanding - 1, 0, 1, ... (see InOrder). One thread, the caller's.
template <class Ask, class Take>
Result<Sample> closed_loop(const Load& load, Ask ask, Take take) {
    std::vector<TimePoint> sent(static_cast<std::size_t>(load.outstanding));
    Latencies latencies;
    const TimePoint begin = steady_now();
    const auto length = std::chrono::duration<double>(load.seconds);
    TimePoint now = begin;
    std::uint64_t asked_count = 0;
    std::uint64_t taken_count = 0;
    const auto send = [&](std::size_t slot) -> Result<void> {
        sent[slot] = steady_now();
        ++asked_count;
        return ask(slot);
    };
    const auto wants_more = [&] {
        return load.calls > 0 ? asked_count < load.calls : now - begin < length;
    };
    for (std::size_t slot = 0; slot < sent.size(); ++slot) {
        if (slot > 0 && load.calls > 0 && !wants_more()) break;
        if (const Result<void> done = send(slot); !done) return tl::unexpected(done.error());
    }
    while (taken_count < asked_count) {
        const Result<std::size_t> slot = take();
        if (!slot) return tl::unexpected(slot.error());
        now = steady_now();
        ++taken_count;
        latencies.add(std::chrono::duration<double, std::micro>(now - sent[*slot]).count());
        if (!wants_more()) continue;
        if (const Result<void> done = send(*slot); !done) return tl::unexpected(done.error());
    }
    return latencies.summary(std::chrono::duration<double>(now - begin).count());
}

/// The slots of a path that answers in order.
class InOrder {
  public:
    explicit InOrder(int outstanding) : count_(static_cast<std::size_t>(outstanding)) {}
    std::size_t next() {
        const std::size_t slot = next_;
        next_ = (next_ + 1) % count_;
        return slot;
    }

  private:
    std::size_t count_;
    std::size_t next_{0};
};

}  // namespace farm::bench
