#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <sys/types.h>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/net/router.h"
#include "common/net/same_host/loans.h"
#include "common/net/same_host/shared_arena.h"
#include "common/net/same_host/shared_region.h"

namespace farm {

/// One connection within this host: messages over a Unix socket, their large frames in shared
/// memory (wire.md, "Same host").
///
/// A frame that lies in our arena is lent as it is, one that the peer has lent us is named, any
/// other is copied once. It never blocks: packets that the socket does not take wait here, up to
/// limits::unsent_packet_count. Owned by one SameHostLinks, on its thread. When it goes, what it
/// lent is free, and received Buffers stay valid.
class SameHostLink {
  public:
    /// Above this a frame goes into shared memory: below, copying it through the socket is cheaper
    /// than the books of a loan.
    static constexpr std::size_t inlined_frame_bytes = 16 * 1024;

    /// `held_bytes_limit`: see Borrowings.
    SameHostLink(UniqueFd socket, pid_t peer, std::shared_ptr<SharedArena> arena,
                 std::uint64_t held_bytes_limit);

    SendResult send(std::span<const Buffer> frames);
    /// Sends what waits; false when the peer is gone.
    bool flush();
    bool has_unsent() const { return !unsent_.empty(); }

    /// The next message; nothing when there is none now. After an error the connection must end:
    /// unavailable (the peer is gone), io (this process lacks descriptors or memory for what came),
    /// protocol (what came breaks the rules).
    Result<std::optional<std::vector<Buffer>>> receive();

    int fd() const { return socket_.get(); }
    pid_t peer() const { return peer_; }

  private:
    struct Unsent {
        std::string bytes;
        std::shared_ptr<SharedRegion> region;  ///< whose descriptor goes with it
    };

    std::optional<PacketFrame> place(const Buffer& frame, std::size_t& inlined_bytes);
    PacketFrame lend(const Buffer& frame, const SharedArena::Place& place);
    void tell_of_dropped_regions();
    SendResult send(Packet packet, std::shared_ptr<SharedRegion> region = nullptr);
    SendResult push(const Unsent& packet) const;

    Result<std::optional<std::vector<Buffer>>> take(Bytes packet, UniqueFd fd);
    Result<std::optional<std::vector<Buffer>>> take(const MessagePacket& packet);
    Result<Buffer> frame_of(const PacketFrame& frame, bool is_header);

    UniqueFd socket_;
    pid_t peer_;
    std::shared_ptr<SharedArena> arena_;
    Loans loans_;
    Borrowings borrowings_;
    std::unordered_set<std::uint32_t> told_regions_;
    std::uint64_t dropped_count_{0};  ///< of the arena, as told
    std::deque<Unsent> unsent_;
    bool failed_{false};
};

}  // namespace farm
