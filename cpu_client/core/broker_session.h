#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "common/core/clock.h"
#include "schemas/messages.h"

namespace farm {

/// What a client knows about its one broker.
struct BrokerSession {
    enum class Phase : std::uint8_t {
        resting,     ///< no link; the next try is at `until`
        connecting,  ///< OpenLink is out, HELLO is not; given up at `until`
        greeting,    ///< HELLO is out; given up at `until`
        open,        ///< WELCOME has come
        closed,      ///< for good
    };
    enum class Bulk : std::uint8_t { none, opening, attached };

    Phase phase{Phase::resting};
    TimePoint until{};
    LinkId link;

    // While open.
    Welcome welcome;
    TimePoint heard{};
    TimePoint next_beat{};
    Bulk bulk{Bulk::none};
    TimePoint bulk_until{};             ///< while opening
    std::optional<TimePoint> leave_at;  ///< the broker takes no more calls: left when idle, or then

    bool is_open() const { return phase == Phase::open; }
    bool has_link(LinkId id) const { return link && link == id; }
};

/// A peer's timing as we use it: a beat of 0 would spin, one of days would never notice a death.
inline Timing sane(Timing timing) {
    using std::chrono::milliseconds;
    timing.beat = std::clamp(timing.beat, milliseconds(10), milliseconds(60'000));
    timing.suspect_beats = std::max<std::uint8_t>(timing.suspect_beats, 1);
    timing.lost_beats = std::max<std::uint8_t>(timing.lost_beats, timing.suspect_beats);
    return timing;
}

}  // namespace farm
