#include "common/ops/signals.h"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace farm {
namespace {

int open_signal_fd() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
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
