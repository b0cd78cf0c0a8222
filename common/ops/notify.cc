#include "common/ops/notify.h"

#include <cstdint>

#include <systemd/sd-daemon.h>

namespace farm {
namespace {

/// A newline in `text` would be one more assignment of the protocol.
std::string status_line(std::string_view text) {
    std::string line = "STATUS=";
    for (char c : text) line += c == '\n' ? ' ' : c;
    return line;
}

// A service manager that does not listen is no reason to stop.
void tell(const std::string& state) { sd_notify(0, state.c_str()); }

std::optional<Duration> watchdog_half_interval() {
    std::uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) <= 0) return std::nullopt;
    return std::chrono::microseconds(interval_us) / 2;
}

}  // namespace

ServiceNotifier::ServiceNotifier() : half_interval_(watchdog_half_interval()) {}

void ServiceNotifier::ready(std::string_view text) { tell("READY=1\n" + status_line(text)); }
void ServiceNotifier::status(std::string_view text) { tell(status_line(text)); }
void ServiceNotifier::stopping(std::string_view text) { tell("STOPPING=1\n" + status_line(text)); }

void ServiceNotifier::feed(TimePoint now) {
    if (!half_interval_ || now < next_feed_) return;
    tell("WATCHDOG=1");
    next_feed_ = now + *half_interval_;
}

std::optional<TimePoint> ServiceNotifier::next_deadline() const {
    if (!half_interval_) return std::nullopt;
    return next_feed_;
}

}  // namespace farm
