#include "common/net/poller.h"

#include <thread>

#include <sys/eventfd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/net/waker.h"

namespace farm {
namespace {

/// Long enough that waiting for it shows as a test that has hung.
TimePoint far_away() { return steady_now() + std::chrono::minutes(5); }

TEST(PollerTest, ReturnsAtItsDeadlineWithoutAnythingToWatch) {
    Poller poller;
    const TimePoint until = steady_now() + std::chrono::milliseconds(2);
    while (steady_now() < until) poller.wait(until);
    poller.wait(until - std::chrono::seconds(5));  // the past: at once
    EXPECT_GE(steady_now(), until);
}

TEST(PollerTest, WakeFromAnotherThreadEndsTheSleep) {
    Poller poller;
    Waker waker;
    poller.watch(waker);
    std::atomic<bool> woken{false};
    std::thread other([&] {
        woken = true;
        waker.wake();
    });
    while (!woken) poller.wait(far_away());
    other.join();
    EXPECT_TRUE(woken);
}

TEST(PollerTest, WakeBeforeTheSleepIsNotLost) {
    Poller poller;
    Waker waker;
    poller.watch(waker);
    waker.wake();
    waker.wake();
    poller.wait(far_away());
    const TimePoint until = steady_now() + std::chrono::milliseconds(1);
    poller.wait(until);  // and it counts once
    EXPECT_GE(steady_now(), until);
}

TEST(PollerTest, NoWakeIsLostUnderLoad) {
    constexpr int count = 200'000;
    Poller poller;
    Waker waker;
    poller.watch(waker);
    std::atomic<int> produced{0};
    std::thread other([&] {
        for (int i = 0; i < count; ++i) {
            produced.fetch_add(1);
            waker.wake();
        }
    });
    while (produced.load() < count) poller.wait(far_away());
    other.join();
    EXPECT_EQ(produced.load(), count);
}

TEST(PollerTest, PlainDescriptorIsReportedUntilItIsRead) {
    Poller poller;
    Waker waker;
    poller.watch(waker);
    const int fd = ::eventfd(1, EFD_NONBLOCK);
    const int other = ::eventfd(0, EFD_NONBLOCK);
    poller.watch_fd(fd);
    poller.watch_fd(other);
    waker.wake();  // work elsewhere does not hide it
    poller.wait(far_away());
    EXPECT_TRUE(poller.readable(fd));
    EXPECT_FALSE(poller.readable(other));
    poller.wait(far_away());
    EXPECT_TRUE(poller.readable(fd));
    poller.forget_fd(fd);
    EXPECT_FALSE(poller.readable(fd));
    poller.forget(waker);
    poller.wait(steady_now());
    EXPECT_FALSE(poller.readable(other));
    ::close(fd);
    ::close(other);
}

}  // namespace
}  // namespace farm
