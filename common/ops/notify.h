#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/core/clock.h"

namespace farm {

/// Tells systemd how the program does (sd_notify). Without systemd, or when the program was not
/// started by it, every call does nothing. Used by the loop's thread.
///
/// The watchdog (WatchdogSec= of the unit) is fed from the loop, so that a loop that hangs is
/// restarted: call `feed` in each round, and wait no longer than `next_deadline`.
class ServiceNotifier {
  public:
    ServiceNotifier();

    void ready(std::string_view status);
    void status(std::string_view text);
    void stopping(std::string_view status);

    /// Says "alive" when half of the watchdog's interval has passed.
    void feed(TimePoint now);
    /// Nothing without a watchdog.
    std::optional<TimePoint> next_deadline() const;

  private:
    std::optional<Duration> half_interval_;
    TimePoint next_feed_{};
};

}  // namespace farm
