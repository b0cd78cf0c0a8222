#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/core/clock.h"
#include "common/core/ids.h"
#include "schemas/limits.h"

namespace farm {

/// What a worker knows of one broker of its list: the link if there is one, the session, and until
/// when a broken session may be resumed. The WorkerMachine decides what follows.
struct BrokerContact {
    enum class State : std::uint8_t {
        waiting,   ///< no link; the next try is at `due`
        opening,   ///< link asked for; gives up at `due`
        greeting,  ///< HELLO is out, WELCOME is not here; gives up at `due`
        serving,   ///< a session; the next BEAT is at `due`
    };

    State state{State::waiting};
    LinkId link;
    TimePoint due;
    std::uint32_t failures{0};  ///< in a row, since a session lived for a beat

    // Of the session, or of the last one while it may be resumed.
    PeerId broker;
    std::uint64_t broker_epoch{0};
    std::string name;
    Secret lease_key;  ///< seals the leases that this broker gives out
    Timing timing;
    TimePoint last_heard;
    std::optional<TimePoint> forget_at;  ///< the session broke; the broker keeps it until then
    bool bulk_attached{false};
    bool credit_due{false};
    bool beat_due{false};
    std::uint64_t credit_sequence{0};

    bool serving() const { return state == State::serving; }
    TimePoint silent_at() const { return last_heard + timing.lost_after(); }

    /// When something is to be done about it, new links (`may_open`) included.
    std::optional<TimePoint> next_deadline(bool may_open) const {
        if (state == State::serving) return std::min(due, silent_at());
        if (state == State::greeting) return due;
        const bool idle = state == State::waiting && !may_open;
        return earliest(forget_at, idle ? std::nullopt : std::optional(due));
    }
};

}  // namespace farm
