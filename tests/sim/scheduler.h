#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "common/core/clock.h"

namespace farm::sim {

/// The simulated clock and what is to happen when. Events of one instant run in the order in which
/// they were scheduled. One thread.
class Scheduler {
  public:
    TimePoint now() const { return now_; }
    void at(TimePoint when, std::function<void()> what) {
        queue_.push({when < now_ ? now_ : when, next_++, std::move(what)});
    }
    void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

    /// Runs everything that is due until `end`, or until `stop` says so.
    template <class Stop>
    void run_until(TimePoint end, Stop stop) {
        while (!queue_.empty() && queue_.top().when <= end && !stop()) {
            auto what = std::move(const_cast<Event&>(queue_.top()).what);
            now_ = queue_.top().when;
            queue_.pop();
            ++executed_;
            what();
        }
        if (!stop()) now_ = end;
    }
    std::uint64_t executed() const { return executed_; }

  private:
    struct Event {
        TimePoint when;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Event& other) const {
            return when != other.when ? when > other.when : order > other.order;
        }
    };
    std::priority_queue<Event> queue_;
    TimePoint now_{std::chrono::seconds(1000)};
    std::uint64_t next_{0};
    std::uint64_t executed_{0};
};

}  // namespace farm::sim
