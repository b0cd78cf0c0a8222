#include "common/net/poller.h"

#include <algorithm>
#include <cstddef>
#include <ctime>

namespace farm {
namespace {

timespec time_left(std::optional<TimePoint> until, bool ready) {
    if (ready) return {0, 0};
    const Duration left = std::max(*until - steady_now(), Duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
}

}  // namespace

void Poller::watch(Pollable& source) {
    sources_.push_back(&source);
    fds_.push_back({source.poll_fd(), POLLIN, 0});
}

void Poller::forget(Pollable& source) {
    const auto found = std::find(sources_.begin(), sources_.end(), &source);
    if (found == sources_.end()) return;
    fds_.erase(fds_.begin() + static_cast<std::ptrdiff_t>(plain_count_) +
               (found - sources_.begin()));
    sources_.erase(found);
}

void Poller::watch_fd(int fd) {
    fds_.insert(fds_.begin() + static_cast<std::ptrdiff_t>(plain_count_), {fd, POLLIN, 0});
    ++plain_count_;
}

void Poller::forget_fd(int fd) {
    const auto plain_end = fds_.begin() + static_cast<std::ptrdiff_t>(plain_count_);
    const auto found =
        std::find_if(fds_.begin(), plain_end, [fd](const pollfd& item) { return item.fd == fd; });
    if (found == plain_end) return;
    fds_.erase(found);
    --plain_count_;
}

void Poller::wait(std::optional<TimePoint> until) {
    bool ready = false;
    for (Pollable* source : sources_) ready |= source->poll_before_sleep();

    // With work at hand the others still get their look, so that one busy socket starves nobody.
    timespec timeout{};
    const bool limited = ready || until.has_value();
    if (limited) timeout = time_left(until, ready);
    if (ppoll(fds_.data(), fds_.size(), limited ? &timeout : nullptr, nullptr) < 0) {
        for (pollfd& item : fds_) item.revents = 0;
    }
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        sources_[i]->poll_after_sleep(fds_[plain_count_ + i].revents != 0);
    }
}

bool Poller::readable(int fd) const {
    const auto plain_end = fds_.begin() + static_cast<std::ptrdiff_t>(plain_count_);
    return std::any_of(fds_.begin(), plain_end,
                       [fd](const pollfd& item) { return item.fd == fd && item.revents != 0; });
}

}  // namespace farm
