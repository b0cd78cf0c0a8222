#pragma once

#include <atomic>

#include "common/net/poller.h"

namespace farm {

/// Ends the sleep of a loop from another thread. Costs a system call only when the loop sleeps.
/// wake() is for any thread; the rest belongs to the Poller. Must outlive its callers.
/// Throws std::system_error when the process has no file descriptor left.
class Waker : public Pollable {
  public:
    Waker();
    ~Waker() override;
    Waker(const Waker&) = delete;
    Waker& operator=(const Waker&) = delete;

    void wake() noexcept;

    int poll_fd() const override { return fd_; }
    bool poll_before_sleep() override;
    void poll_after_sleep(bool fd_readable) override;

  private:
    enum State : int { running, notified, sleeping };

    int fd_;
    std::atomic<int> state_{running};
};

}  // namespace farm
