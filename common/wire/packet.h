#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"

/// One packet of a connection within a host (wire.md, "Same host"): a message whose large frames
/// lie in shared memory, or news of that memory. Pure: descriptors and memory are the link's.
namespace farm {

/// What a peer does wrong, as an error (protocol): "packet <problem>: ...".
tl::unexpected<Error> refuse_packet(const std::string& problem);

/// A frame of a message. What lies in shared memory is lent: the receiver gives each loan back,
/// once.
struct PacketFrame {
    enum class Place : std::uint8_t {
        inlined,  ///< in this packet
        lent,     ///< in a region of the sender's, under a new loan
        own,      ///< in what the receiver has lent the sender: a part of that loan
    };

    Place place{Place::inlined};
    std::uint32_t region{0};  ///< lent: from 1
    std::uint64_t loan{0};    ///< lent, own: from 1
    std::uint64_t offset{0};  ///< lent: in the region; own: in the loan
    std::uint64_t size_bytes{0};
    Bytes bytes;  ///< inlined: a view of the packet
};

struct MessagePacket {
    std::vector<PacketFrame> frames;     ///< of one message; none: there is none
    std::vector<std::uint64_t> returns;  ///< loans of the receiver's; `frames` are read before
};

/// The sender will lend from this region; its descriptor comes with the packet.
struct RegionPacket {
    std::uint32_t region{0};
    std::uint64_t size_bytes{0};
};

/// The sender will lend from this region no more, and nothing of it is lent.
struct RegionGonePacket {
    std::uint32_t region{0};
};

using Packet = std::variant<MessagePacket, RegionPacket, RegionGonePacket>;

/// Errors (protocol) name field, value and limit. Sizes and offsets are within the limits, but
/// whether regions and loans exist is for the link to say.
Result<Packet> decode_packet(Bytes bytes);
std::string encode_packet(const Packet& packet);

}  // namespace farm
