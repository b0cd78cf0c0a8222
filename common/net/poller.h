#pragma once

#include <optional>
#include <vector>

#include <poll.h>

#include "common/core/clock.h"

namespace farm {

/// Something a loop can wait for. Implemented by Router, Dealer and Waker.
class Pollable {
  public:
    virtual ~Pollable() = default;
    virtual int poll_fd() const = 0;
    /// Asked before the loop sleeps: true when there is work now.
    virtual bool poll_before_sleep() = 0;
    /// Told after the loop has slept, or decided not to.
    virtual void poll_after_sleep(bool fd_readable) = 0;
};

/// Lets one thread wait for sockets, other threads and file descriptors at once.
///
/// Sockets are asked for their state (ZMQ_EVENTS, which also drains their command queue) right
/// before every poll(2) on their ZMQ_FD; that is what makes its edge-triggered signal safe, and
/// what zmq_poll itself does. Doing it here wakes the loop when a connection comes up or breaks
/// too, which zmq_poll does not. Used by one thread. Watched objects must be forgotten before they
/// are destroyed. No allocation in wait(); its cost is linear in the watched objects (a few).
class Poller {
  public:
    void watch(Pollable& source);
    void forget(Pollable& source);
    /// A plain descriptor (signalfd, pidfd): level-triggered, its owner reads it.
    void watch_fd(int fd);
    void forget_fd(int fd);

    /// Returns when a watched thing has work, `until` is reached, or for no reason at all. Nothing
    /// for `until`: no limit. Whoever has work keeps having it until it was taken.
    void wait(std::optional<TimePoint> until);

    /// Whether the last wait() saw that plain descriptor readable.
    bool readable(int fd) const;

  private:
    std::vector<Pollable*> sources_;
    std::vector<pollfd> fds_;  ///< plain descriptors, then one per source
    std::size_t plain_count_{0};
};

}  // namespace farm
