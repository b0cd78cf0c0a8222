#include "common/net/socket.h"

#include <algorithm>
#include <cerrno>

#include "schemas/limits.h"

namespace farm {
namespace {

/// Connections that may wait for accept(2) in a reconnect storm; the kernel caps it at somaxconn.
constexpr int backlog_count = 4096;
/// Dead TCP peers behind silent middle boxes: 60 s idle, then 4 probes every 15 s. Beats find them
/// sooner; this frees the descriptors of connections without a session.
constexpr int keepalive_idle_s = 60;
constexpr int keepalive_interval_s = 15;
constexpr int keepalive_count = 4;
/// A CURVE MESSAGE adds 33 bytes: command name 8, nonce 8, authenticator 16, flags 1.
constexpr std::int64_t curve_overhead_bytes = 64;

/// No ZMTP heartbeats: 4.3.4 kills a connection whose frame takes longer than a heartbeat.
void set_options(zmq::socket_t& socket, Lane lane, std::size_t largest_frame) {
    socket.set(zmq::sockopt::affinity, std::uint64_t{1} << static_cast<unsigned>(lane));
    socket.set(zmq::sockopt::linger, static_cast<int>(socket_linger.count()));
    socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(largest_frame));
    socket.set(zmq::sockopt::sndhwm, limits::high_water_mark_count);
    // Of larger frames fewer, so that what one peer may leave unread stays the same.
    socket.set(zmq::sockopt::rcvhwm,
               static_cast<int>(limits::high_water_mark_count * limits::frame_bytes /
                                std::max(largest_frame, limits::frame_bytes)));
    socket.set(zmq::sockopt::immediate, true);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::backlog, backlog_count);
    socket.set(zmq::sockopt::handshake_ivl,
               static_cast<int>(std::chrono::milliseconds(socket_handshake_timeout).count()));
    socket.set(zmq::sockopt::tcp_keepalive, 1);
    socket.set(zmq::sockopt::tcp_keepalive_idle, keepalive_idle_s);
    socket.set(zmq::sockopt::tcp_keepalive_intvl, keepalive_interval_s);
    socket.set(zmq::sockopt::tcp_keepalive_cnt, keepalive_count);
}

}  // namespace

Error socket_error(const std::string& doing, int number) {
    return {ErrorCode::io, "cannot " + doing + " (" + zmq_strerror(number) + ")"};
}

Result<std::unique_ptr<zmq::socket_t>> make_socket(Context& context, Lane lane,
                                                   zmq::socket_type type) {
    try {
        auto socket = std::make_unique<zmq::socket_t>(context.zmq(), type);
        set_options(*socket, lane, context.largest_frame(lane));
        return socket;
    } catch (const zmq::error_t& error) {
        Error told = socket_error("open one more socket", error.num());
        if (error.num() == EMFILE) told.message += ": raise the limit of open files (ulimit -n)";
        return tl::unexpected<Error>(std::move(told));
    }
}

void allow_curve_overhead(zmq::socket_t& socket) {
    socket.set(zmq::sockopt::maxmsgsize,
               socket.get(zmq::sockopt::maxmsgsize) + curve_overhead_bytes);
}

int events_of(zmq::socket_t& socket, SocketEvents& known) {
    if (!known.stale()) return known.known();
    int events = 0;
    std::size_t size = sizeof(events);
    while (zmq_getsockopt(socket.handle(), ZMQ_EVENTS, &events, &size) != 0) {
        if (zmq_errno() != EINTR) return 0;
    }
    known.learn(events);
    return events;
}

int fd_of(zmq::socket_t& socket) { return socket.get(zmq::sockopt::fd); }

bool receive_frame(zmq::socket_t& socket, zmq::message_t& into) {
    while (zmq_msg_recv(into.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() != EINTR) return false;
    }
    return true;
}

std::vector<Buffer> take_frames(zmq::socket_t& socket, zmq::message_t first) {
    std::vector<Buffer> frames;
    bool more = first.more();
    frames.push_back(buffer_of(std::move(first)));
    while (more) {
        zmq::message_t frame;
        if (!receive_frame(socket, frame)) break;
        more = frame.more();
        if (frames.size() <= limits::frame_count) frames.push_back(buffer_of(std::move(frame)));
    }
    return frames;
}

int send_frame(zmq::socket_t& socket, zmq::message_t frame, bool more) {
    const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    while (zmq_msg_send(frame.handle(), socket.handle(), flags) < 0) {
        if (zmq_errno() != EINTR) return zmq_errno();
    }
    return 0;
}

int send_frames(zmq::socket_t& socket, std::span<const Buffer> frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const bool more = i + 1 < frames.size();
        if (const int error = send_frame(socket, message_of(frames[i]), more)) return error;
    }
    return 0;
}

}  // namespace farm
