#pragma once

#include <cstdint>
#include <random>

#include "common/core/clock.h"
#include "schemas/limits.h"

namespace farm {

/// Which broker of the list is next, and after what pause.
///
/// The first is drawn from the seed, so that many clients spread over the brokers. A failed address
/// passes to the next one at once; when all of a round have failed there is a pause that doubles
/// with each round, up to BackOff::longest, with jitter so that clients do not come back in step.
class BrokerRotation {
  public:
    /// `address_count` is 1 or more.
    BrokerRotation(std::uint16_t address_count, BackOff back_off, std::uint64_t seed);

    std::uint16_t address() const { return address_; }

    /// This address did not give a session, or took it back: next one. The pause before trying it.
    Duration failed();
    /// A session that worked has broken: the same address again, since it may be resumed there. The
    /// pause doubles with each one since reached().
    Duration broke();
    /// A session has worked for a while: the next failure starts a fresh round.
    void reached() { failed_count_ = broken_count_ = 0; }

  private:
    Duration doubled(std::uint32_t times) const;
    Duration jittered(Duration longest);

    std::uint16_t address_count_;
    BackOff back_off_;
    std::mt19937_64 random_;
    std::uint16_t address_{0};
    std::uint32_t failed_count_{0};  ///< addresses that failed since the last session
    std::uint32_t broken_count_{0};  ///< sessions that broke before they had worked for a while
};

}  // namespace farm
