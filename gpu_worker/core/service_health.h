#pragma once

#include <cstdint>
#include <optional>

#include "common/core/clock.h"

namespace farm {

/// Whether a service may run after device faults (rule 8).
///
/// A fault takes it out of rotation; a passed self-test brings it back. The first test is due at
/// once, later ones after 1 s, doubling to 60 s, until a real run has ended well. A value.
class ServiceHealth {
  public:
    bool in_rotation() const { return state_ == State::serving; }

    void fault(TimePoint now);
    void run_ended_well() { faults_ = 0; }

    /// When the next self-test is due; nothing while it serves or a test is under way.
    std::optional<TimePoint> test_at() const;
    void test_started() { state_ = State::testing; }
    void test_finished(bool passed, TimePoint now);

  private:
    enum class State : std::uint8_t { serving, resting, testing };

    State state_{State::serving};
    std::uint32_t faults_{0};  ///< since the last good run
    TimePoint test_at_;
};

}  // namespace farm
