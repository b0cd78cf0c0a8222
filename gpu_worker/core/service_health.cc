#include "gpu_worker/core/service_health.h"

#include <algorithm>
#include <chrono>

namespace farm {

void ServiceHealth::fault(TimePoint now) {
    using namespace std::chrono_literals;
    if (state_ != State::serving) return;  // another run of the same bad time
    const Duration pause = faults_ == 0 ? 0s : std::min<Duration>(60s, 1s * (1LL << (faults_ - 1)));
    faults_ = std::min(faults_ + 1, 7U);  // 2^6 s is past the longest pause
    state_ = State::resting;
    test_at_ = now + pause;
}

std::optional<TimePoint> ServiceHealth::test_at() const {
    if (state_ != State::resting) return std::nullopt;
    return test_at_;
}

void ServiceHealth::test_finished(bool passed, TimePoint now) {
    if (state_ != State::testing) return;
    state_ = State::serving;
    if (!passed) fault(now);
}

}  // namespace farm
