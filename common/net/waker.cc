#include "common/net/waker.h"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace farm {

Waker::Waker() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Waker::~Waker() { ::close(fd_); }

void Waker::wake() noexcept {
    if (state_.exchange(notified) != sleeping) return;
    const std::uint64_t one = 1;
    // Cannot fail but for a counter that is full, and then the loop wakes up anyway.
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof(one));
}

bool Waker::poll_before_sleep() {
    int expected = running;
    return !state_.compare_exchange_strong(expected, sleeping);
}

void Waker::poll_after_sleep(bool fd_readable) {
    state_.exchange(running);
    if (!fd_readable) return;  // a wake() under way makes one more, empty round
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(fd_, &count, sizeof(count));
}

}  // namespace farm
