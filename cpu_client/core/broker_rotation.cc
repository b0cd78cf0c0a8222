#include "cpu_client/core/broker_rotation.h"

#include <algorithm>

namespace farm {

BrokerRotation::BrokerRotation(std::uint16_t address_count, BackOff back_off, std::uint64_t seed)
    : address_count_(std::max<std::uint16_t>(address_count, 1)),
      back_off_(back_off),
      random_(seed) {
    address_ = static_cast<std::uint16_t>(random_() % address_count_);
}

Duration BrokerRotation::failed() {
    address_ = static_cast<std::uint16_t>((address_ + 1) % address_count_);
    ++failed_count_;
    if (failed_count_ % address_count_ != 0) return Duration{0};
    return jittered(doubled(failed_count_ / address_count_ - 1));
}

Duration BrokerRotation::broke() { return jittered(doubled(broken_count_++)); }

Duration BrokerRotation::doubled(std::uint32_t times) const {
    const Duration pause = Duration(back_off_.first) * (std::int64_t{1} << std::min(times, 20U));
    return std::min<Duration>(pause, back_off_.longest);
}

/// Between half of it and all of it.
Duration BrokerRotation::jittered(Duration longest) {
    const Duration half = longest / 2;
    if (half <= Duration{0}) return longest;
    return half + Duration(static_cast<Duration::rep>(random_() %
                                                      static_cast<std::uint64_t>(half.count())));
}

}  // namespace farm
