#include "common/net/zap.h"

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include "common/net/all_signals_blocked.h"
#include "common/net/socket.h"

namespace farm {
namespace {

constexpr const char* zap_endpoint = "inproc://zeromq.zap.01";
constexpr std::size_t curve_key_bytes = 32;
constexpr std::size_t frame_limit = 16;

/// RFC 27's request, as a ROUTER sees it.
enum Frame : std::size_t {
    routing,
    delimiter,
    protocol,
    request_id,
    domain,
    address,
    identity,
    mechanism,
    credentials,
    curve_frame_count,
};

std::vector<zmq::message_t> receive_request(zmq::socket_t& socket) {
    std::vector<zmq::message_t> frames;
    bool more = true;
    while (more) {
        zmq::message_t frame;
        if (!receive_frame(socket, frame)) break;
        more = frame.more();
        if (frames.size() < frame_limit) frames.push_back(std::move(frame));
    }
    return frames;
}

std::string z85_of(const zmq::message_t& key) {
    if (key.size() != curve_key_bytes) return {};
    char text[41] = {};
    if (zmq_z85_encode(text, key.data<std::uint8_t>(), curve_key_bytes) == nullptr) return {};
    return text;
}

/// Z85 of the client's key; empty when the request is not a complete CURVE one for our domain.
std::string key_of(const std::vector<zmq::message_t>& request) {
    if (request.size() != curve_frame_count) return {};
    if (request[protocol].to_string_view() != "1.0") return {};
    if (request[domain].to_string_view() != zap_domain) return {};
    if (request[mechanism].to_string_view() != "CURVE") return {};
    return z85_of(request[credentials]);
}

zmq::message_t text_frame(std::string_view text) { return {text.data(), text.size()}; }

void reply(zmq::socket_t& socket, std::vector<zmq::message_t>& request, const Identity* who) {
    send_frame(socket, std::move(request[routing]), true);
    send_frame(socket, zmq::message_t(), true);
    send_frame(socket, text_frame("1.0"), true);
    send_frame(socket, std::move(request[request_id]), true);
    send_frame(socket, text_frame(who ? "200" : "400"), true);
    send_frame(socket, text_frame(who ? "OK" : "key not allowed"), true);
    send_frame(socket, text_frame(who ? to_user_id(*who) : std::string()), true);
    send_frame(socket, zmq::message_t(), false);
}

}  // namespace

ZapServer::ZapServer(AllowList list, Callbacks callbacks)
    : list_(std::move(list)), callbacks_(std::move(callbacks)) {}

Result<std::unique_ptr<ZapServer>> ZapServer::start(Context& context, std::string allow_folder,
                                                    Callbacks callbacks) {
    auto list = AllowList::open(std::move(allow_folder));
    if (!list) return tl::unexpected<Error>(list.error());
    std::unique_ptr<ZapServer> server(new ZapServer(std::move(*list), std::move(callbacks)));
    try {
        server->socket_ = std::make_unique<zmq::socket_t>(context.zmq(), zmq::socket_type::router);
        server->socket_->set(zmq::sockopt::linger, 0);
        server->socket_->bind(zap_endpoint);
    } catch (const zmq::error_t& error) {
        Error told = socket_error("check keys", error.num());
        if (error.num() == EADDRINUSE) told.message += ": this process checks keys already";
        return tl::unexpected<Error>(std::move(told));
    }
    server->stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd_ < 0) return tl::unexpected<Error>(socket_error("check keys", errno));

    try {
        const AllSignalsBlocked guard;
        server->thread_ = std::thread([raw = server.get()] { raw->run(); });
    } catch (const std::system_error& error) {
        return tl::unexpected<Error>(socket_error("check keys", error.code().value()));
    }
    return server;
}

ZapServer::~ZapServer() {
    if (thread_.joinable()) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(stop_fd_, &one, sizeof(one));
        thread_.join();
    }
    if (stop_fd_ >= 0) ::close(stop_fd_);
}

void ZapServer::run() {
    zmq_pollitem_t items[] = {{socket_->handle(), 0, ZMQ_POLLIN, 0},
                              {nullptr, stop_fd_, ZMQ_POLLIN, 0}};
    while (true) {
        if (zmq_poll(items, 2, -1) < 0) {
            if (zmq_errno() == EINTR) continue;
            return;  // the context is being destroyed
        }
        if (items[1].revents != 0) return;
        if (items[0].revents != 0) answer_one();
    }
}

void ZapServer::answer_one() {
    std::vector<zmq::message_t> request = receive_request(*socket_);
    if (request.size() <= request_id) return;  // nobody to answer: not from libzmq

    const std::string key = key_of(request);
    const Identity* who = key.empty() ? nullptr : list_.find(key, steady_now());
    for (const std::string& problem : list_.take_problems()) {
        if (callbacks_.problem) callbacks_.problem(problem);
    }
    (who ? accepted_ : refused_).fetch_add(1, std::memory_order_relaxed);
    if (!who && callbacks_.refused) {
        const std::string from = request.size() > address ? request[address].to_string() : "";
        callbacks_.refused(from, key);
    }
    reply(*socket_, request, who);
}

}  // namespace farm
