#include "common/net/router.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/expect.h"
#include "common/net/socket.h"
#include "common/net/url.h"
#include "common/net/zap.h"
#include "schemas/limits.h"
#include "schemas/machine.h"

namespace farm {
namespace {

constexpr std::size_t closed_count = 65'536;
/// Messages that one receive() may throw away, so that a flood of them does not hold the loop.
constexpr int skipped_per_receive_count = 64;

/// What libzmq makes up: a zero byte and four random, then counting ones. Peers may not start with
/// zero.
constexpr std::size_t routing_bytes = 5;

std::optional<std::uint32_t> routing_of(const zmq::message_t& frame) {
    const auto* bytes = frame.data<std::uint8_t>();
    if (frame.size() != routing_bytes || bytes[0] != 0) return std::nullopt;
    std::uint32_t routing = 0;
    std::memcpy(&routing, bytes + 1, sizeof(routing));
    return routing;
}

zmq::message_t routing_frame(std::uint32_t routing) {
    zmq::message_t frame(routing_bytes);
    auto* bytes = frame.data<std::uint8_t>();
    bytes[0] = 0;
    std::memcpy(bytes + 1, &routing, sizeof(routing));
    return frame;
}

std::string property_of(zmq::message_t& frame, const char* name) {
    const char* value = zmq_msg_gets(frame.handle(), name);
    return value ? value : "";
}

void skip_frames(zmq::socket_t& socket, bool more) {
    while (more) {
        zmq::message_t frame;
        if (!receive_frame(socket, frame)) return;
        more = frame.more();
    }
}

bool somebody_listens(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return false;
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    const bool listens = rc == 0 || errno == EAGAIN;
    ::close(fd);
    return listens;
}

tl::unexpected<Error> in_use(const std::string& url, const char* what) {
    return fail(ErrorCode::io,
                "cannot listen on " + url + " (the " + what +
                    " is in use by another process): stop that process, or choose another address");
}

/// libzmq unlinks whatever stands at the path, a live broker's socket or a file of somebody's.
Result<void> check_ipc_path(const Url& url) {
    if (url.scheme != Url::Scheme::ipc || url.path.front() == '@' || url.path == "*") return {};
    struct stat info {};
    if (::lstat(url.path.c_str(), &info) != 0) return {};
    if (!S_ISSOCK(info.st_mode)) {
        return fail(ErrorCode::invalid, "cannot listen on " + url.text() +
                                            " (there is something else than a socket): "
                                            "move it away, or choose another path");
    }
    if (somebody_listens(url.path)) return in_use(url.text(), "path");
    return {};
}

tl::unexpected<Error> bind_error(const std::string& url, int number) {
    switch (number) {
        case EADDRINUSE: return in_use(url, "port");
        case EADDRNOTAVAIL:
        case ENODEV:
        case EINVAL:
            return fail(ErrorCode::invalid, "cannot listen on " + url +
                                                " (this machine has no such address): give one of "
                                                "its IP addresses, an interface, or '*'");
        case EACCES:
            return fail(ErrorCode::io, "cannot listen on " + url +
                                           " (no permission: ports below 1024 and other users' "
                                           "folders are reserved): choose another address");
        case ENOENT:
            return fail(ErrorCode::not_found, "cannot listen on " + url +
                                                  " (its folder does not exist): create it first");
        default: return tl::unexpected<Error>(socket_error("listen on " + url, number));
    }
}

/// ZMQ_ZAP_ENFORCE_DOMAIN, which 4.3 implements in every build but declares in draft ones only.
constexpr int zap_enforce_domain_option = 93;

void require_keys(zmq::socket_t& socket, const CurveServer& curve) {
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_secretkey, curve.own.secret_key);
    allow_curve_overhead(socket);
    if (curve.any_key) return;
    socket.set(zmq::sockopt::zap_domain, zap_domain);
    const int on = 1;
    if (zmq_setsockopt(socket.handle(), zap_enforce_domain_option, &on, sizeof(on)) != 0) {
        throw zmq::error_t();
    }
}

}  // namespace

LinkId next_link_id() {
    static std::atomic<std::uint64_t> next{first_listener_link};
    return LinkId{next.fetch_add(1, std::memory_order_relaxed)};
}

Router::Router(std::unique_ptr<zmq::socket_t> socket, bool has_users, std::uint64_t link_bits)
    : socket_(std::move(socket)),
      has_users_(has_users),
      link_bits_(link_bits),
      fd_(fd_of(*socket_)) {}

Router::~Router() = default;

Result<std::unique_ptr<Router>> Router::make(Context& context, Lane lane,
                                             const std::optional<CurveServer>& curve,
                                             std::uint64_t link_bits) {
    auto socket = make_socket(context, lane, zmq::socket_type::router);
    if (!socket) return tl::unexpected<Error>(socket.error());
    try {
        (*socket)->set(zmq::sockopt::router_mandatory, true);
        if (curve) require_keys(**socket, *curve);
    } catch (const zmq::error_t& error) {
        return tl::unexpected<Error>(socket_error("use this CURVE key", error.num()));
    }
    return std::unique_ptr<Router>(
        new Router(std::move(*socket), curve && !curve->any_key, link_bits));
}

Result<std::string> Router::bind(const std::string& text) {
    const auto url = parse_bind_url(text);
    if (!url) return tl::unexpected<Error>(url.error());
    if (auto free = check_ipc_path(*url); !free) return tl::unexpected<Error>(free.error());
    try {
        socket_->set(zmq::sockopt::ipv6, url->ipv6() || url->host == "*");
        socket_->bind(url->text());
        addresses_.push_back(socket_->get(zmq::sockopt::last_endpoint));
    } catch (const zmq::error_t& error) {
        return bind_error(url->text(), error.num());
    }
    return addresses_.back();
}

bool Router::poll_before_sleep() { return (events_of(*socket_, events_) & ZMQ_POLLIN) != 0; }

void Router::poll_after_sleep(bool fd_readable) {
    if (fd_readable) events_.touch();
}

std::optional<Router::Incoming> Router::receive() {
    if (!events_.stale() && (events_.known() & ZMQ_POLLIN) == 0) return std::nullopt;
    events_.touch();
    for (int skipped = 0; skipped < skipped_per_receive_count; ++skipped) {
        zmq::message_t routing;
        if (!receive_frame(*socket_, routing)) return std::nullopt;
        if (auto message = take(routing)) return message;
    }
    return std::nullopt;
}

/// The rest of the message whose routing frame this is; nothing when it is to be ignored.
std::optional<Router::Incoming> Router::take(zmq::message_t& routing_id) {
    const auto routing = routing_of(routing_id);
    zmq::message_t body;
    if (!routing_id.more() || !receive_frame(*socket_, body)) return std::nullopt;
    bool first = false;
    LinkId link;
    if (!routing) {
        ++counters_.ignored_alien;
    } else if (closed_.contains(*routing)) {
        ++counters_.ignored_closed;
    } else {
        link = link_of(*routing, body, first);
    }
    if (!link) {
        skip_frames(*socket_, body.more());
        return std::nullopt;
    }
    return Incoming{link, first, &links_.at(link).identity, take_frames(*socket_, std::move(body))};
}

/// The link of a routing id, made on its first message. None when it must not be served.
LinkId Router::link_of(std::uint32_t routing, zmq::message_t& body, bool& first) {
    // From a body frame: 4.3.4 loses the properties of the routing frame.
    std::string user_id = has_users_ ? property_of(body, "User-Id") : std::string();
    if (const auto known = by_routing_.find(routing); known != by_routing_.end()) {
        if (!has_users_ || links_.at(known->second).user_id == user_id) return known->second;
        ++counters_.ignored_alien;
        return {};
    }
    const auto identity = has_users_ ? parse_user_id(user_id) : Identity{};
    if (!identity || links_.size() >= limits::session_count) {
        ++counters_.ignored_alien;
        return {};
    }
    first = true;
    const LinkId link{next_link_id().value | link_bits_};
    by_routing_.emplace(routing, link);
    links_.emplace(link,
                   Link{routing, *identity, std::move(user_id), property_of(body, "Peer-Address")});
    return link;
}

SendResult Router::send(LinkId link, std::span<const Buffer> frames) {
    FARM_EXPECT(!frames.empty());
    const auto found = links_.find(link);
    if (found == links_.end()) return SendResult::gone;
    events_.touch();
    int error = send_frame(*socket_, routing_frame(found->second.routing), true);
    if (error == 0) error = send_frames(*socket_, frames);
    if (error == 0) return SendResult::sent;
    return error == EAGAIN ? SendResult::full : SendResult::gone;
}

void Router::close(LinkId link) {
    const auto found = links_.find(link);
    if (found == links_.end()) return;
    const std::uint32_t routing = found->second.routing;
    by_routing_.erase(routing);
    links_.erase(found);
    if (!closed_.insert(routing).second) return;
    closed_order_.push_back(routing);
    if (closed_order_.size() > closed_count) {
        closed_.erase(closed_order_.front());
        closed_order_.pop_front();
    }
}

std::string Router::peer_address(LinkId link) const {
    const auto found = links_.find(link);
    return found == links_.end() ? std::string() : found->second.address;
}

}  // namespace farm
