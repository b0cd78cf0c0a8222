#include "common/net/dealer.h"

#include <cerrno>
#include <utility>

#include "common/core/expect.h"
#include "common/net/socket.h"
#include "common/net/url.h"

namespace farm {

Dealer::Dealer(std::unique_ptr<zmq::socket_t> socket, std::string url)
    : socket_(std::move(socket)), url_(std::move(url)), fd_(fd_of(*socket_)) {}

Dealer::~Dealer() = default;

Result<std::unique_ptr<Dealer>> Dealer::connect(Context& context, Lane lane,
                                                const std::string& text,
                                                const std::optional<CurveClient>& curve,
                                                bool ipv6) {
    const auto url = parse_url(text);
    if (!url) return tl::unexpected<Error>(url.error());
    auto socket = make_socket(context, lane, zmq::socket_type::dealer);
    if (!socket) return tl::unexpected<Error>(socket.error());
    try {
        (*socket)->set(zmq::sockopt::ipv6, ipv6 || url->ipv6());
        if (curve) {
            (*socket)->set(zmq::sockopt::curve_serverkey, curve->server_key);
            (*socket)->set(zmq::sockopt::curve_publickey, curve->own.public_key);
            (*socket)->set(zmq::sockopt::curve_secretkey, curve->own.secret_key);
            allow_curve_overhead(**socket);
        }
        (*socket)->connect(url->text());
    } catch (const zmq::error_t& error) {
        return tl::unexpected<Error>(socket_error("connect to " + url->text(), error.num()));
    }
    return std::unique_ptr<Dealer>(new Dealer(std::move(*socket), url->text()));
}

/// Takes libzmq's view into account; true when there is something to receive.
bool Dealer::refresh() {
    const int events = events_of(*socket_, events_);
    const bool can_send = (events & ZMQ_POLLOUT) != 0;
    if (state_ == State::connecting && can_send) state_ = State::up;
    if (state_ == State::up && !can_send) state_ = State::lost;
    return (events & ZMQ_POLLIN) != 0;
}

Dealer::State Dealer::state() {
    refresh();
    reported_ = state_;
    return state_;
}

bool Dealer::poll_before_sleep() {
    const bool has_input = refresh();
    return has_input || state_ != reported_;
}

void Dealer::poll_after_sleep(bool fd_readable) {
    if (fd_readable) events_.touch();
}

SendResult Dealer::send(std::span<const Buffer> frames) {
    FARM_EXPECT(!frames.empty());
    if (state_ == State::connecting) refresh();
    if (state_ != State::up) return SendResult::gone;
    events_.touch();
    const int error = send_frames(*socket_, frames);
    if (error == 0) return SendResult::sent;
    state_ = State::lost;
    return error == EAGAIN ? SendResult::full : SendResult::gone;
}

std::optional<std::vector<Buffer>> Dealer::receive() {
    if (!events_.stale() && (events_.known() & ZMQ_POLLIN) == 0) return std::nullopt;
    events_.touch();
    zmq::message_t first;
    if (!receive_frame(*socket_, first)) return std::nullopt;
    return take_frames(*socket_, std::move(first));
}

}  // namespace farm
