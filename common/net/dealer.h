#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/net/context.h"
#include "common/net/curve.h"
#include "common/net/frame.h"
#include "common/net/poller.h"
#include "common/net/router.h"

namespace farm {

/// A DEALER socket to one address: one connection, tried once, never reconnected (the machines
/// decide about that with OpenLink / CloseLink).
///
/// libzmq does not say why a connection does not come up: nobody listens, the name is unknown, a
/// firewall, or our key is refused all look like `connecting` until the caller's patience ends.
/// Owner: one loop, on its thread; destroyed before the Context. Bounds as Router's.
class Dealer : public Pollable {
  public:
    enum class State : unsigned char {
        connecting,  ///< not up yet
        up,          ///< handshake and authentication are done; messages can be sent
        lost,        ///< was up, and the connection broke or its pipe is full; final
    };

    /// Starts to connect. Errors: an address that cannot be parsed, or no socket left.
    /// A host name is resolved as IPv4 unless `ipv6`; an IPv6 literal needs no flag.
    static Result<std::unique_ptr<Dealer>> connect(Context& context, Lane lane,
                                                   const std::string& url,
                                                   const std::optional<CurveClient>& curve = {},
                                                   bool ipv6 = false);
    ~Dealer() override;
    Dealer(const Dealer&) = delete;
    Dealer& operator=(const Dealer&) = delete;

    /// As of now. A Poller wakes up when it changes.
    State state();
    bool writable() { return state() == State::up; }

    /// `gone` when it is not up. After anything but `sent` the state is `lost`.
    SendResult send(std::span<const Buffer> frames);
    /// Next message (at most limits::frame_count + 1 frames); nothing when there is none now. What
    /// arrived before a break can still be received after it only in part: libzmq drops the rest.
    std::optional<std::vector<Buffer>> receive();
    const std::string& url() const { return url_; }

    int poll_fd() const override { return fd_; }
    bool poll_before_sleep() override;
    void poll_after_sleep(bool fd_readable) override;

  private:
    Dealer(std::unique_ptr<zmq::socket_t> socket, std::string url);
    bool refresh();

    std::unique_ptr<zmq::socket_t> socket_;
    std::string url_;
    int fd_{-1};
    SocketEvents events_;
    State state_{State::connecting};
    State reported_{State::connecting};  ///< as the loop saw it last
};

}  // namespace farm
