#pragma once

#include <cstdint>
#include <optional>

namespace farm {

/// Turns SIGTERM and SIGINT into something that a loop can wait for, and ignores SIGPIPE.
///
/// Make it first thing in main(): the signals are blocked in this thread and in all that it
/// starts later, and arrive on fd() only, for this thread to wait for and take(). One per process.
/// The signals stay blocked after it is destroyed, so that a late one cannot cut the shutdown
/// short. Throws std::system_error when the process has no file descriptor left.
class Signals {
  public:
    enum class Stop : std::uint8_t {
        drain,  ///< first signal: stop credit, finish, say goodbye, exit 0 (rule 16)
        now,    ///< second signal: exit at once
    };

    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// Readable when take() has something: give it to Poller::watch_fd.
    int fd() const { return fd_; }
    /// What was asked since the last call; never blocks.
    std::optional<Stop> take();

  private:
    int fd_;
    int seen_count_{0};
};

}  // namespace farm
