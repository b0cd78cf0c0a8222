#include "common/net/same_host/same_host_links.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "schemas/limits.h"

namespace farm {
namespace {

constexpr std::uint64_t listener_tag = 0;  // no link has this number
constexpr int waiting_connection_count = 1024;
constexpr Duration accept_pause = std::chrono::seconds(1);

struct Address {
    sockaddr_un name{};
    socklen_t size{0};
};

/// Nothing when it is no name of an abstract socket.
std::optional<Address> address_of(const std::string& name) {
    Address address;
    address.name.sun_family = AF_UNIX;
    if (name.size() < 2 || name.front() != '@' || name.size() > sizeof(address.name.sun_path)) {
        return std::nullopt;
    }
    std::memcpy(address.name.sun_path, name.data(), name.size());
    address.name.sun_path[0] = '\0';
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    return address;
}

UniqueFd make_socket() {
    return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// The process at the other end; nothing when it is another user's.
std::optional<pid_t> trusted_peer(const UniqueFd& socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
    if (peer.uid != ::geteuid()) return std::nullopt;
    return peer.pid;
}

}  // namespace

Result<std::unique_ptr<SameHostLinks>> SameHostLinks::make(Options options) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return system_error("watch connections within this host");
    return std::unique_ptr<SameHostLinks>(new SameHostLinks(std::move(options), std::move(epoll)));
}

Result<void> SameHostLinks::listen(const std::string& name) {
    const auto address = address_of(name);
    if (!address) {
        return fail(ErrorCode::invalid,
                    "'" + name + "' is no name of an abstract socket (\"@...\")");
    }
    UniqueFd socket = make_socket();
    const auto* where = reinterpret_cast<const sockaddr*>(&address->name);
    if (!socket || ::bind(socket.get(), where, address->size) != 0 ||
        ::listen(socket.get(), waiting_connection_count) != 0) {
        return system_error("listen on " + name);
    }
    epoll_event event{EPOLLIN, {.u64 = listener_tag}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
        return system_error("watch " + name);
    }
    listener_ = std::move(socket);
    accepting_ = true;
    return {};
}

void SameHostLinks::open(LinkId link, const std::string& name) {
    const auto address = address_of(name);
    UniqueFd socket = make_socket();
    const auto* where = address ? reinterpret_cast<const sockaddr*>(&address->name) : nullptr;
    if (!address || !socket || ::connect(socket.get(), where, address->size) != 0) {
        return failed_.push_back(link);
    }
    const auto peer = trusted_peer(socket);
    if (!peer) return failed_.push_back(link);
    (add(link, std::move(socket), *peer) ? fresh_ : failed_).push_back(link);
}

bool SameHostLinks::add(LinkId id, UniqueFd socket, pid_t peer) {
    epoll_event event{EPOLLIN, {.u64 = id.value}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) return false;
    links_.emplace(
        std::piecewise_construct, std::forward_as_tuple(id),
        std::forward_as_tuple(std::move(socket), peer, options_.arena, options_.held_bytes_limit));
    return true;
}

/// Without a descriptor nobody can be accepted, nor refused: they wait until one is free.
void SameHostLinks::accept_all() {
    for (;;) {
        UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (!socket && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
            accepting_ = false;
            accept_at_ = steady_now() + accept_pause;
        }
        if (!socket) return;
        const auto peer = trusted_peer(socket);
        if (!peer || accepted_count_ >= limits::direct_session_count) continue;
        const LinkId link{next_link_id().value | same_host_bit};
        if (add(link, std::move(socket), *peer)) ++accepted_count_;
    }
}

void SameHostLinks::accept_again() {
    if (!listener_ || accepting_) return;
    epoll_event event{EPOLLIN, {.u64 = listener_tag}};
    accepting_ = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) == 0;
}

void SameHostLinks::close(LinkId link) {
    if (links_.erase(link) == 0) return;
    if (link.value >= first_listener_link) --accepted_count_;
    accept_again();
}

SendResult SameHostLinks::send(LinkId id, std::span<const Buffer> frames) {
    const auto found = links_.find(id);
    if (found == links_.end()) return SendResult::gone;
    SameHostLink& link = found->second;
    const bool waited = link.has_unsent();
    const SendResult result = link.send(frames);
    if (!waited && link.has_unsent()) wait_for_room(id, link, true);
    return result;
}

void SameHostLinks::wait_for_room(LinkId id, const SameHostLink& link, bool wanted) const {
    epoll_event event{EPOLLIN, {.u64 = id.value}};
    if (wanted) event.events |= EPOLLOUT;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, link.fd(), &event);
}

void SameHostLinks::tell(const Handlers& handlers, int message_limit) {
    const TimePoint now = steady_now();
    options_.arena->drop_idle_regions(now);
    if (now >= accept_at_) accept_again();
    for (const LinkId link : std::exchange(failed_, {})) handlers.lost(LinkLost{link});
    for (const LinkId link : std::exchange(fresh_, {})) {
        if (links_.contains(link)) handlers.opened(LinkOpened{link});
    }
    if (!std::exchange(readable_, false)) return;
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == listener_tag) {
            accept_all();
        } else {
            tell_link(LinkId{event.data.u64}, handlers, message_limit);
        }
    }
}

void SameHostLinks::tell_link(LinkId id, const Handlers& handlers, int message_limit) {
    for (int i = 0; i < message_limit; ++i) {
        const auto found = links_.find(id);  // a handler may have closed it
        if (found == links_.end()) return;
        SameHostLink& link = found->second;
        if (link.has_unsent() && link.flush() && !link.has_unsent()) wait_for_room(id, link, false);
        auto message = link.receive();
        if (!message && message.error().code != ErrorCode::protocol) {
            const bool is_gone = message.error().code == ErrorCode::unavailable;
            close(id);
            return handlers.lost({id, is_gone ? LinkLost::Cause::gone : LinkLost::Cause::no_room});
        }
        if (!message) {
            return handlers.malformed(
                {id, RefusedReason::malformed,
                 message.error().message + " (from process " + std::to_string(link.peer()) + ")"});
        }
        if (!*message) return;
        handlers.message(id, std::move(**message));
    }
}

}  // namespace farm
