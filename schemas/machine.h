#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "common/core/ids.h"
#include "common/core/transfer.h"
#include "schemas/limits.h"
#include "schemas/messages.h"

/// Inputs and effects that the three machines share. ARCHITECTURE.md, "The shape of every machine",
/// says who owns payloads and what a link is.
namespace farm {

/// Links from here on are connections that peers made to a listening socket of ours; the rim
/// numbers them. Machines number those that they open themselves, from 1.
inline constexpr std::uint64_t first_listener_link = 1ULL << 63;
/// Set in the number of a link within this host, whoever opened it.
inline constexpr std::uint64_t same_host_bit = 1ULL << 62;
/// Set in that of any other link between client and worker, whoever opened it.
inline constexpr std::uint64_t direct_bit = 1ULL << 61;

constexpr bool is_same_host(LinkId link) { return (link.value & same_host_bit) != 0; }

/// How the bytes of calls travel on a link: with their message (`whole`), with it up to
/// limits::direct_frame_bytes and else as chunks (`direct`), or as chunks from
/// limits::small_call_bytes on (`chunked`). What is whole and above the latter goes by the bulk
/// socket, where the link has one.
enum class Framing : std::uint8_t { chunked, direct, whole };

constexpr Framing framing_of(LinkId link) {
    if (is_same_host(link)) return Framing::whole;
    return (link.value & direct_bit) != 0 ? Framing::direct : Framing::chunked;
}

/// The most bytes of a call or result that travel with their message.
constexpr std::uint64_t whole_bytes(Framing framing) {
    switch (framing) {
        case Framing::whole: return limits::call_bytes;
        case Framing::direct: return limits::direct_frame_bytes;
        case Framing::chunked: break;
    }
    return limits::small_call_bytes;
}

/// Whether it goes by the bulk socket.
constexpr bool is_bulky(const Message& message) {
    if (const auto* call = std::get_if<Call>(&message)) {
        return !call->chunked && call->input_bytes > limits::small_call_bytes;
    }
    if (const auto* answer = std::get_if<Answer>(&message)) {
        return !answer->chunked && answer->output_bytes > limits::small_call_bytes;
    }
    return std::holds_alternative<Chunk>(message) || std::holds_alternative<Attach>(message);
}

// ---- inputs -----------------------------------------------------------------------------------

/// The control socket of this link can send: time for HELLO.
struct LinkOpened {
    LinkId link;
};

/// The id is dead from now on.
struct LinkLost {
    enum class Cause : std::uint8_t {
        gone,     ///< the transport has ended, or never began
        no_room,  ///< ours has: a pipe, shared memory or the descriptors are full; the peer lives
    };
    LinkId link;
    Cause cause{Cause::gone};
};

struct Received {
    LinkId link;
    Message message;
};

/// The peer of a listening socket sent bytes that are no message of ours, or of another version.
struct Malformed {
    LinkId link;
    RefusedReason reason{RefusedReason::malformed};
    std::string detail;
};

/// Do what is due at `now`.
struct Tick {};

/// SIGTERM, or `farm drain`: finish what there is, take no more, leave.
struct DrainRequested {};

// ---- effects ----------------------------------------------------------------------------------

/// Connect to address number `address` of the broker list. The machine numbers its links itself.
struct OpenLink {
    LinkId link;
    std::uint16_t address{0};
};

/// Connect the bulk socket of this link and send ATTACH on it; the broker's ATTACH comes back as
/// Received on the same link. A "*" in the host of `url` means: the host of the control socket.
struct OpenBulk {
    LinkId link;
    std::string url;
    SessionId session;
    Secret secret;
};

/// From now on what arrives on `bulk` belongs to `control`, and CHUNKs for `control` leave by
/// `bulk`. Both are connections of listening sockets.
struct BindBulk {
    LinkId control;
    LinkId bulk;
};

struct CloseLink {
    LinkId link;
};

/// Send this message; CHUNK goes to the bulk socket, all else to control.
/// `release_payload`: the rim forgets the message's payload once it is on its way.
struct Transmit {
    LinkId link;
    Message message;
    bool release_payload{false};
};

struct DropPayload {
    PayloadId payload;
};

/// Cut `length` bytes at `offset` out of frame `frame` of the payload and send them as a CHUNK.
struct TransmitChunk {
    LinkId link;
    CallKey key;
    PayloadId payload;
    std::uint16_t frame{0};   ///< index in Payload::frames
    std::uint16_t tensor{0};  ///< index in the body's descriptors
    std::uint64_t offset{0};
    std::uint32_t length{0};
};

/// Chunks of this payload's large tensors will come, by StoreChunk. Memory is taken then.
struct ExpectFrames {
    PayloadId payload;
};

/// Put a chunk's bytes into frame `frame` of `into` at `offset`; the chunk passes to the rim.
struct StoreChunk {
    PayloadId chunk;
    PayloadId into;
    std::uint16_t frame{0};
    std::uint64_t offset{0};
};

enum class NoteLevel : std::uint8_t { debug, info, warning, error };

/// One line for the log.
struct Note {
    NoteLevel level{NoteLevel::info};
    std::string text;
};

}  // namespace farm
