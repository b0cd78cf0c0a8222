#include "common/ops/notify.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace farm {
namespace {

/// What systemd listens on, in the abstract namespace.
class NotifySocket {
  public:
    NotifySocket() : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        const std::string name = "farm-notify-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const auto size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
        EXPECT_EQ(
            ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)),
            0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    }
    ~NotifySocket() {
        ::unsetenv("NOTIFY_SOCKET");
        ::close(fd_);
    }
    /// Datagrams to a local socket are there when the sender returns.
    std::string next() const {
        char text[512];
        const ssize_t size = ::recv(fd_, text, sizeof(text), MSG_DONTWAIT);
        return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
    }

  private:
    int fd_;
};

TEST(NotifyTest, StatesAreTold) {
    const NotifySocket systemd;
    ServiceNotifier notifier;
    notifier.ready("serving\nX=1");
    EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=serving X=1");
    notifier.status("12 workers");
    EXPECT_EQ(systemd.next(), "STATUS=12 workers");
    notifier.stopping("draining");
    EXPECT_EQ(systemd.next(), "STOPPING=1\nSTATUS=draining");
}

TEST(NotifyTest, WatchdogIsFedTwicePerInterval) {
    const NotifySocket systemd;
    ::setenv("WATCHDOG_USEC", "2000000", 1);
    ServiceNotifier notifier;
    ::unsetenv("WATCHDOG_USEC");
    const TimePoint start{std::chrono::hours(1)};
    notifier.feed(start);
    EXPECT_EQ(systemd.next(), "WATCHDOG=1");
    EXPECT_EQ(notifier.next_deadline(), start + std::chrono::seconds(1));
    notifier.feed(start + std::chrono::milliseconds(999));
    EXPECT_EQ(systemd.next(), "");
    notifier.feed(start + std::chrono::seconds(1));
    EXPECT_EQ(systemd.next(), "WATCHDOG=1");
}

TEST(NotifyTest, WithoutSystemdNothingHappens) {
    ServiceNotifier notifier;
    notifier.ready("serving");
    notifier.feed(TimePoint{std::chrono::hours(1)});
    EXPECT_FALSE(notifier.next_deadline());
}

}  // namespace
}  // namespace farm
