#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "schemas/limits.h"

namespace farm {

/// Which new calls wait a moment for others, to leave in one message with them.
///
/// Answers that came together are mostly followed by a new call each, one after the other. Small
/// calls leave in two messages, or more of `longest_count` calls, so that the farm works on the
/// first half while the second one is made. A value, used by one thread at a time.
class FollowUpCalls {
  public:
    static constexpr std::size_t longest_count = 16;  ///< calls that leave together at most

    /// What was answered before is not waited for any more.
    void new_answers() { answered_count_ = expected_count_ = 0; }
    void answered() {
        ++answered_count_;
        ++expected_count_;
    }

    /// A call is there; `gathered_count` of them wait to leave, this one included. Whether it has
    /// to wait: somebody must see to it that it leaves, though nothing may follow.
    bool waits(std::uint64_t input_bytes, std::size_t gathered_count) {
        if (expected_count_ == 0) return false;
        const std::size_t wanted_count = std::min((answered_count_ + 1) / 2, longest_count);
        return --expected_count_ > 0 && gathered_count < wanted_count &&
               input_bytes <= limits::joined_bytes;
    }

  private:
    std::size_t answered_count_{0};  ///< together, the last ones
    std::size_t expected_count_{0};  ///< calls that have not followed these yet
};

}  // namespace farm
