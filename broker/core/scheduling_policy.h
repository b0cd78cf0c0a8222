#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "broker/core/offer_table.h"
#include "common/core/error.h"

namespace farm {

/// Chooses the worker for the call at the head of a queue.
///
/// It decides nothing else: who may take a call, in which order calls are served and what windows
/// hold is the broker's. Owned by one BrokerMachine; called from its thread.
class SchedulingPolicy {
  public:
    virtual ~SchedulingPolicy() = default;
    /// One of the offers that can take the call (OfferTable::can_take); nothing when there is none.
    /// The table has been prepared for the call.
    virtual std::optional<OfferTable::Place> pick(const OfferTable& offers,
                                                  const Demand& demand) = 0;
    virtual std::string_view name() const = 0;
};

/// "least_finish" (default): least expected finish time, fewest outstanding calls on a tie.
/// "round_robin" and "random" exist to compare against; `seed` is for random.
Result<std::unique_ptr<SchedulingPolicy>> make_scheduling_policy(std::string_view name,
                                                                 std::uint64_t seed);

}  // namespace farm
