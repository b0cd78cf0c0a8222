#include "common/ops/process.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace farm {
namespace {

/// The kernel kills a child when the *thread* that started it ends, so one thread that lives as
/// long as the process starts them all. It exists from the first spawn on.
class SpawnerThread {
  public:
    static void run(const std::function<void()>& job) {
        static std::mutex making;
        static SpawnerThread* one = nullptr;  // never ends before the process
        static pid_t owner = -1;
        std::unique_lock lock(making);
        if (owner != ::getpid()) {  // a forked process has none of its parent's threads
            one = new SpawnerThread;
            owner = ::getpid();
        }
        SpawnerThread* const current = one;
        lock.unlock();
        current->execute(job);
    }

  private:
    SpawnerThread() {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        std::thread([this] { loop(); }).detach();
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    void execute(const std::function<void()>& job) {
        std::lock_guard one_at_a_time(turn_);
        std::unique_lock lock(mutex_);
        job_ = &job;
        changed_.notify_all();
        changed_.wait(lock, [this] { return job_ == nullptr; });
    }

    void loop() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return job_ != nullptr; });
            (*job_)();
            job_ = nullptr;
            changed_.notify_all();
        }
    }

    std::mutex turn_;
    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* job_{nullptr};
};

/// Everything that the child needs, made before fork: after it only async-signal-safe calls.
struct Launch {
    std::vector<std::string> environment_texts;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    const SpawnOptions& options;
    pid_t parent{::getpid()};
    int error_fd{-1};

    explicit Launch(const SpawnOptions& given) : options(given) {
        for (const std::string& argument : given.arguments)
            arguments.push_back(const_cast<char*>(argument.c_str()));
        arguments.push_back(nullptr);
        for (const auto& [name, value] : given.environment)
            environment_texts.push_back(name + '=' + value);
        for (std::string& text : environment_texts) environment.push_back(text.data());
        for (char** entry = environ; *entry; ++entry) {
            if (!is_replaced(*entry)) environment.push_back(*entry);
        }
        environment.push_back(nullptr);
    }

    bool is_replaced(const char* entry) const {
        return std::any_of(
            options.environment.begin(), options.environment.end(), [&](const auto& given) {
                return std::strncmp(entry, given.first.c_str(), given.first.size()) == 0 &&
                       entry[given.first.size()] == '=';
            });
    }
};

bool redirect(const std::string& file, int to) {
    if (file.empty()) return true;
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return fd >= 0 && ::dup2(fd, to) >= 0;
}

void default_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD})
        ::sigaction(number, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(const Launch& launch) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != launch.parent) ::_exit(127);  // the parent has died in between
    if (launch.options.own_group) ::setpgid(0, 0);
    default_signals();
    if (redirect(launch.options.stdout_file, STDOUT_FILENO) &&
        redirect(launch.options.stderr_file, STDERR_FILENO)) {
        ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
        ::execvpe(launch.arguments[0], launch.arguments.data(), launch.environment.data());
    }
    const int number = errno;
    [[maybe_unused]] const auto told = ::write(launch.error_fd, &number, sizeof(number));
    ::_exit(127);
}

/// Waits until exec has closed the pipe, or has failed and written why.
int exec_error(int fd) {
    int number = 0;
    ssize_t size = 0;
    do {
        size = ::read(fd, &number, sizeof(number));
    } while (size < 0 && errno == EINTR);
    return size == static_cast<ssize_t>(sizeof(number)) ? number : 0;
}

struct Started {
    pid_t pid{-1};
    int error{0};
};

Started start(Launch& launch) {
    int pipe_fds[2];
    if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return {-1, errno};
    launch.error_fd = pipe_fds[1];
    const pid_t pid = ::fork();
    if (pid == 0) run_child(launch);
    const int fork_error = pid < 0 ? errno : 0;
    ::close(pipe_fds[1]);
    const int error = pid < 0 ? fork_error : exec_error(pipe_fds[0]);
    ::close(pipe_fds[0]);
    if (pid > 0 && error != 0) ::waitpid(pid, nullptr, 0);
    return {pid, error};
}

ExitStatus exit_status(int raw) {
    if (WIFSIGNALED(raw)) return {0, WTERMSIG(raw)};
    return {WEXITSTATUS(raw), 0};
}

bool readable_within(int fd, std::chrono::milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    while (true) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd item{fd, POLLIN, 0};
        const int count =
            ::poll(&item, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (count > 0) return true;
        if (count == 0 || errno != EINTR) return false;
    }
}

}  // namespace

std::string to_string(ExitStatus status) {
    if (status.signal == 0) return "exit code " + std::to_string(status.code);
    return "signal " + std::to_string(status.signal) + " (" + ::strsignal(status.signal) + ")";
}

Result<ChildProcess> ChildProcess::spawn(const SpawnOptions& options) {
    if (options.arguments.empty()) return fail(ErrorCode::invalid, "no program to start was named");
    Launch launch(options);
    Started started;
    SpawnerThread::run([&] { started = start(launch); });
    if (started.error != 0) {
        return fail(started.error == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                    "cannot start '" + options.arguments.front() + "' (" +
                        std::strerror(started.error) + ")");
    }
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, started.pid, 0U));
    if (fd < 0) {
        const int number = errno;
        ::kill(started.pid, SIGKILL);
        ::waitpid(started.pid, nullptr, 0);
        return fail(ErrorCode::io, std::string("cannot watch a child process (") +
                                       std::strerror(number) + "): Linux 5.3 or newer is needed");
    }
    return ChildProcess(started.pid, fd);
}

ChildProcess::~ChildProcess() { kill_and_reap(); }

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      fd_(std::exchange(other.fd_, -1)),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    if (this == &other) return *this;
    kill_and_reap();
    pid_ = std::exchange(other.pid_, -1);
    fd_ = std::exchange(other.fd_, -1);
    status_ = other.status_;
    return *this;
}

void ChildProcess::kill_and_reap() noexcept {
    if (fd_ < 0) return;
    signal(SIGKILL);
    reap(true);
}

void ChildProcess::reap(bool block) {
    if (fd_ < 0) return;
    int raw = 0;
    pid_t got = 0;
    do {
        got = ::waitpid(pid_, &raw, block ? 0 : WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return;
    // Somebody else's waitpid(-1) has taken the status: it has ended, how is not known.
    status_ = got == pid_ ? exit_status(raw) : ExitStatus{127, 0};
    ::close(std::exchange(fd_, -1));
}

bool ChildProcess::running() {
    reap(false);
    return fd_ >= 0;
}

std::optional<ExitStatus> ChildProcess::wait(std::chrono::milliseconds timeout) {
    if (fd_ >= 0 && readable_within(fd_, timeout)) reap(true);
    return status_;
}

ExitStatus ChildProcess::stop(std::chrono::milliseconds grace) {
    signal(SIGTERM);
    if (auto ended = wait(grace)) return *ended;
    signal(SIGKILL);
    reap(true);
    return status_.value_or(ExitStatus{});
}

void ChildProcess::signal(int number) {
    if (fd_ >= 0) ::syscall(SYS_pidfd_send_signal, fd_, number, nullptr, 0U);
}

}  // namespace farm
