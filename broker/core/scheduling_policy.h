#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "common/core/clock.h"
#include "common/core/error.h"
#include "common/core/ids.h"

namespace farm {

/// A worker that could take the call now: it is alive, in rotation, and its window has room.
struct Candidate {
    SessionId worker;
    Duration expected_finish{0};  ///< from now: its backlog with this call added
    std::uint32_t outstanding_count{0};
};

/// Chooses the worker for the call at the head of a queue.
///
/// It decides nothing else: who is a candidate, in which order calls are served and what windows
/// hold is the broker's. Owned by one BrokerMachine; called from its thread.
class SchedulingPolicy {
  public:
    virtual ~SchedulingPolicy() = default;
    /// Index of the chosen candidate. Requires at least one.
    virtual std::size_t pick(std::span<const Candidate> candidates) = 0;
    virtual std::string_view name() const = 0;
};

/// "least_finish" (default): least expected finish time, fewest outstanding calls on a tie.
/// "round_robin" and "random" exist to compare against; `seed` is for random.
Result<std::unique_ptr<SchedulingPolicy>> make_scheduling_policy(std::string_view name,
                                                                 std::uint64_t seed);

}  // namespace farm
