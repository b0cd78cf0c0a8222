#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/core/clock.h"

namespace farm {

/// Keeps a client from multiplying its load when the farm is in trouble: second and third attempts
/// are at most a fifth of the calls, and ten each second on top.
///
/// A token bucket that may go into debt: a retry that finds it empty is not refused but told when
/// it may go, and refused only when that would be after `latest`. Values only, no clock inside.
class RetryBudget {
  public:
    static constexpr double share_of_calls = 0.2;
    static constexpr double tokens_per_second = 10;
    static constexpr double initial_tokens = 256;   ///< one worker's window lost at once
    static constexpr double largest_tokens = 2048;  ///< one session's open calls

    void call_submitted() { tokens_ = std::min(tokens_ + share_of_calls, largest_tokens); }

    /// Takes one token; the time from which the retry may go, or none (and no token) when that
    /// is later than `latest`.
    std::optional<TimePoint> reserve(TimePoint now, TimePoint latest) {
        refill(now);
        const double debt = std::max(0.0, 1.0 - tokens_);
        const auto pause = Duration(static_cast<Duration::rep>(debt / tokens_per_second * 1e9));
        if (now + pause > latest) return std::nullopt;
        tokens_ -= 1.0;
        return now + pause;
    }

    double tokens() const { return tokens_; }

  private:
    void refill(TimePoint now) {
        if (refilled_ && now > *refilled_) {
            const double seconds = std::chrono::duration<double>(now - *refilled_).count();
            tokens_ = std::min(tokens_ + seconds * tokens_per_second, largest_tokens);
        }
        refilled_ = now;
    }

    double tokens_{initial_tokens};
    std::optional<TimePoint> refilled_;
};

}  // namespace farm
