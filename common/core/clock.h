#pragma once

#include <chrono>
#include <optional>

namespace farm {

/// Monotonic time as the machines see it: an argument, never asked for. The rim feeds
/// std::chrono::steady_clock, tests/sim feeds its own counter.
using Duration = std::chrono::nanoseconds;
struct FarmClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<FarmClock>;
    static constexpr bool is_steady = true;
};
using TimePoint = FarmClock::time_point;

/// Reads the machine's steady clock; only rims call this.
inline TimePoint steady_now() {
    return TimePoint{
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

/// The earlier of two optional deadlines.
inline std::optional<TimePoint> earliest(std::optional<TimePoint> a, std::optional<TimePoint> b) {
    if (!a) return b;
    if (!b) return a;
    return *a < *b ? a : b;
}

}  // namespace farm
