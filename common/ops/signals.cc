#include "common/ops/signals.h"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace farm {
namespace {

pthread_t waiting_thread;

/// Libraries start threads before main() (OpenBLAS does), which leave the signals unblocked: such a
/// thread passes them on to the one that waits for them. Async-signal-safe.
void pass_on(int number) {
    const int saved = errno;
    pthread_kill(waiting_thread, number);
    errno = saved;
}

int open_signal_fd() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t wanted;
    sigemptyset(&wanted);
    waiting_thread = pthread_self();
    struct sigaction action {};
    action.sa_handler = pass_on;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    for (const int number : {SIGTERM, SIGINT}) sigaddset(&wanted, number);
    pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
    for (const int number : {SIGTERM, SIGINT}) ::sigaction(number, &action, nullptr);
    const int fd = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    return fd;
}

}  // namespace

Signals::Signals() : fd_(open_signal_fd()) {}

Signals::~Signals() { ::close(fd_); }

std::optional<Signals::Stop> Signals::take() {
    const int before = seen_count_;
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) ++seen_count_;
    if (seen_count_ == before) return std::nullopt;
    return seen_count_ == 1 ? Stop::drain : Stop::now;
}

}  // namespace farm
