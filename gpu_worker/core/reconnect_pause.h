#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "common/core/clock.h"
#include "schemas/limits.h"

namespace farm {

/// Pause before the next try at one address: doubles from BackOff::first to BackOff::longest, and
/// lies anywhere in its upper half, so that a thousand workers do not come back in step. A value.
class ReconnectPause {
  public:
    ReconnectPause(BackOff back_off, std::uint64_t seed) : back_off_(back_off), random_(seed) {}

    /// `failures` in a row so far, this one not counted.
    Duration next(std::uint32_t failures) {
        const Duration longest =
            std::max<Duration>(back_off_.longest, std::chrono::milliseconds(1));
        const Duration first = std::clamp<Duration>(back_off_.first, Duration{1}, longest);
        const Duration whole =
            std::min<Duration>(longest, first * (1LL << std::min(failures, 20U)));
        const auto half = static_cast<std::uint64_t>(whole.count()) / 2;
        return whole - Duration(static_cast<std::int64_t>(random_() % (half + 1)));
    }

  private:
    BackOff back_off_;
    std::mt19937_64 random_;
};

}  // namespace farm
