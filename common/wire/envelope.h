#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/wire/header.h"
#include "schemas/machine.h"
#include "schemas/messages.h"

/// One ZeroMQ message: header, bodies, raw frames. Joins items with their payloads, and back.
namespace farm {

/// Takes a message apart, into `items` (emptied first; one vector serves message after message).
/// Each CALL or RESULT that has bytes, and each CHUNK, gets a payload in `store` and its id in the
/// item; bodies are slices of the frame that they came in, frames are moved. Checks sizes of
/// frames, sums, that declared tensor bytes fit what came, and that nothing contradicts `framing`.
/// On error the store is as before. A payload of a CHUNK has no body and one frame. A frame
/// of bodies is copied where it may lie in shared memory, so that it cannot change under the
/// parser.
Result<void> open_envelope(std::vector<Buffer> frames, PayloadStore& store,
                           std::vector<Message>& items, Framing framing = Framing::chunked);

/// Collects items and payloads for one peer into one message, up to the limits of wire.md.
///
/// Buffers are shared, not copied, but for bodies that are small or more than one. One writer
/// serves one socket and is reused after clear(), without allocation for small messages.
class EnvelopeWriter {
  public:
    EnvelopeWriter() = default;

    /// False, and nothing changed, when the item would pass a limit: finish, then add again.
    /// On an empty writer false means that the item can never be sent.
    /// `payload` is null for an item without bytes; else it is that of a CALL, RESULT or CHUNK.
    /// body_bytes and frame_count travel as the payload has them (chunked: without frames),
    /// whatever the item says. A CHUNK's payload has one frame of `length` bytes.
    bool try_add(const Message& message, const Payload* payload,
                 Framing framing = Framing::chunked);

    bool empty() const { return header_.empty(); }
    std::size_t item_count() const { return header_.item_count(); }

    /// The frames of the message, valid until clear(), which comes next. A frame 0 of at most
    /// limits::joined_bytes lies in the writer: to be copied by whoever needs it longer. Not to be
    /// called on an empty writer.
    std::span<const Buffer> finish();
    void clear();

  private:
    bool has_room_for(std::size_t body_bytes, std::size_t frame_count) const;
    void append(const Payload& payload, std::size_t frame_count);
    Buffer join_bodies();

    HeaderWriter header_;
    std::vector<Buffer> bodies_;
    std::size_t body_bytes_{0};
    std::vector<Buffer> frames_;   ///< behind header and bodies
    std::vector<Buffer> message_;  ///< what finish() gave
};

}  // namespace farm
