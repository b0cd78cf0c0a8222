#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/net/context.h"
#include "common/net/curve.h"
#include "common/net/frame.h"
#include "common/net/identity.h"
#include "common/net/poller.h"

namespace zmq {
class message_t;
}

namespace farm {

enum class SendResult : std::uint8_t {
    sent,  ///< handed to libzmq; says nothing about arrival
    gone,  ///< the peer is not connected (any more), or was closed
    full,  ///< the peer's pipe is at its high-water mark: rule 5, the session ends
};

/// A name for one more connection, unique in this process. Thread-safe.
LinkId next_link_id();

/// A listening ROUTER socket: many peers, each one a LinkId.
///
/// It never blocks and never drops in silence what we send (ROUTER_MANDATORY, DONTWAIT). Only
/// routing ids that libzmq made up are served: a peer that chose its own could come back as
/// somebody else, so its messages are counted and thrown away. With CURVE a link keeps the identity
/// of its first message, and what arrives under another one is thrown away too. libzmq does not
/// report a closed connection: send() says `gone` when one tries (a BEAT does). Owner: one loop, on
/// its thread; destroyed before the Context. Bounds: limits::session_count links, 65 536 remembered
/// closed ones, limits::high_water_mark_count messages per peer and direction, limits::frame_bytes
/// per frame.
class Router : public Pollable {
  public:
    struct Incoming {
        LinkId link;
        bool first{false};           ///< the first message of this link
        const Identity* identity;    ///< valid until close(link)
        std::vector<Buffer> frames;  ///< at most limits::frame_count + 1: what is more was cut off
    };

    struct Counters {
        std::uint64_t ignored_closed{0};  ///< messages on links that we closed
        std::uint64_t ignored_alien{
            0};  ///< self-chosen routing id, changed identity, too many links
    };

    /// `curve`: clients must know our public key, and theirs must be allowed (see CurveServer).
    /// `link_bits` are set in the numbers of its links (schemas/machine.h).
    static Result<std::unique_ptr<Router>> make(Context& context, Lane lane,
                                                const std::optional<CurveServer>& curve = {},
                                                std::uint64_t link_bits = 0);
    ~Router() override;
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// Listens on one more address and returns the actual one ("tcp://*:0" gives
    /// "tcp://[::]:41234"). Errors (io, invalid): port in use, not an address of this machine, no
    /// permission, path taken by something that is not a stale socket.
    Result<std::string> bind(const std::string& url);
    const std::vector<std::string>& addresses() const { return addresses_; }

    /// The next message of any live link; nothing when there is none now.
    std::optional<Incoming> receive();
    SendResult send(LinkId link, std::span<const Buffer> frames);
    bool has(LinkId link) const { return links_.contains(link); }
    /// The link's name is forgotten, and whatever it still sends is ignored.
    void close(LinkId link);

    /// "192.168.1.7", for logs; empty when unknown (ipc).
    std::string peer_address(LinkId link) const;
    std::size_t link_count() const { return links_.size(); }
    const Counters& counters() const { return counters_; }

    int poll_fd() const override { return fd_; }
    bool poll_before_sleep() override;
    void poll_after_sleep(bool fd_readable) override;

  private:
    struct Link {
        std::uint32_t routing{0};
        Identity identity;
        std::string user_id;
        std::string address;
    };

    Router(std::unique_ptr<zmq::socket_t> socket, bool has_users, std::uint64_t link_bits);
    std::optional<Incoming> take(zmq::message_t& routing_frame);
    LinkId link_of(std::uint32_t routing, zmq::message_t& body, bool& first);

    std::unique_ptr<zmq::socket_t> socket_;
    bool has_users_;  ///< keys say who a peer is
    std::uint64_t link_bits_;
    int fd_{-1};
    SocketEvents events_;
    std::vector<std::string> addresses_;
    std::unordered_map<LinkId, Link> links_;
    std::unordered_map<std::uint32_t, LinkId> by_routing_;
    std::unordered_set<std::uint32_t> closed_;
    std::deque<std::uint32_t> closed_order_;
    Counters counters_;
};

}  // namespace farm
