#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "common/core/error.h"

namespace farm {

/// How a process ended.
struct ExitStatus {
    int code{0};    ///< what it returned; meaningless when signal != 0
    int signal{0};  ///< what killed it

    bool ok() const { return code == 0 && signal == 0; }
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};
std::string to_string(ExitStatus status);  ///< "exit code 3", "signal 9 (Killed)"

struct SpawnOptions {
    std::vector<std::string> arguments;  ///< [0] is the program: a path, or searched in PATH
    std::vector<std::pair<std::string, std::string>> environment;  ///< added to ours
    std::string stdout_file;                                       ///< appended to; empty: ours
    std::string stderr_file;  ///< appended to; empty: ours. May equal stdout_file
    bool own_group{false};    ///< Ctrl-C on our terminal does not reach it
};

/// A child process that dies with us.
///
/// The kernel kills it (SIGKILL) when this process ends in whatever way; the destructor kills and
/// reaps it. Started with no signal blocked and no descriptor of ours but stdin, stdout, stderr.
/// Nothing installs a SIGCHLD handler. Used by one thread at a time; movable.
class ChildProcess {
  public:
    /// Errors (not_found, io) when the program cannot be executed.
    static Result<ChildProcess> spawn(const SpawnOptions& options);
    ~ChildProcess();
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&& other) noexcept;

    pid_t pid() const { return pid_; }
    /// Readable when the process has ended: give it to Poller::watch_fd. Valid until the exit
    /// status was taken.
    int fd() const { return fd_; }

    bool running();  ///< reaps it when it has ended
    const std::optional<ExitStatus>& status() const { return status_; }
    /// The exit status, or nothing after `timeout`.
    std::optional<ExitStatus> wait(std::chrono::milliseconds timeout);
    /// SIGTERM, then SIGKILL after `grace`; gives how it ended.
    ExitStatus stop(std::chrono::milliseconds grace);
    void signal(int number);  ///< nothing when it has ended

  private:
    ChildProcess(pid_t pid, int fd) : pid_(pid), fd_(fd) {}
    void reap(bool block);
    void kill_and_reap() noexcept;

    pid_t pid_{-1};
    int fd_{-1};
    std::optional<ExitStatus> status_;
};

}  // namespace farm
