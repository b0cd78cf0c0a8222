#include "common/ops/signals.h"

#include <csignal>

#include <poll.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(SignalsTest, FirstDrainsSecondEndsAtOnce) {
    Signals signals;
    EXPECT_FALSE(signals.take());
    ::kill(::getpid(), SIGTERM);
    pollfd item{signals.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&item, 1, -1), 1);
    EXPECT_EQ(signals.take(), Signals::Stop::drain);
    EXPECT_FALSE(signals.take());
    ::kill(::getpid(), SIGINT);
    EXPECT_EQ(::poll(&item, 1, -1), 1);
    EXPECT_EQ(signals.take(), Signals::Stop::now);
}

TEST(SignalsTest, TwoAtOnceEndAtOnce) {
    Signals signals;
    ::kill(::getpid(), SIGTERM);
    ::kill(::getpid(), SIGINT);
    EXPECT_EQ(signals.take(), Signals::Stop::now);
}

TEST(SignalsTest, BrokenPipesAreErrorsNotSignals) {
    const Signals signals;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ::close(ends[0]);
    EXPECT_EQ(::write(ends[1], "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
    ::close(ends[1]);
}

}  // namespace
}  // namespace farm
