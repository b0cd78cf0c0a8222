#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/core/error.h"

/// Bookkeeping of one large transfer: which bytes may be sent, which have come. No bytes here.
///
/// The *stream* of a transfer is its large tensors one after the other; grants count bytes of it.
/// Both ends know the sizes from the body's descriptors before the first chunk. The receiver grants
/// (SEND, absolute), the sender cuts pieces below the grant, strictly in order. Both classes are
/// values, owned by a machine, and hold O(tensors) memory.
namespace farm {

/// A large tensor of a body: it travels as one frame of the payload, or as chunks.
struct LargeTensor {
    std::uint16_t tensor{0};  ///< index in the body's descriptors
    std::uint64_t size_bytes{0};

    friend bool operator==(const LargeTensor&, const LargeTensor&) = default;
};

/// Sum of the sizes: the length of the stream.
std::uint64_t stream_bytes(const std::vector<LargeTensor>& tensors);

/// One chunk to be cut: `frame` counts large tensors only, `tensor` counts all of the body.
struct Piece {
    std::uint16_t frame{0};
    std::uint16_t tensor{0};
    std::uint64_t offset{0};
    std::uint32_t length{0};

    friend bool operator==(const Piece&, const Piece&) = default;
};

/// How tensors are cut. Both ends of a transfer know it from the way that the call takes.
struct Chunking {
    std::uint64_t chunk_bytes{1};   ///< a chunk, at most
    std::uint64_t whole_bytes{0};   ///< but a tensor of at most so many bytes is one chunk
    std::uint64_t window_bytes{1};  ///< how far a grant runs ahead; at least twice whole_bytes

    std::uint64_t largest_chunk(std::uint64_t tensor_bytes) const {
        return tensor_bytes <= whole_bytes ? tensor_bytes : chunk_bytes;
    }
};

/// The sender's half. Decides what to send next; when to ask is the machine's choice.
class OutgoingTransfer {
  public:
    OutgoingTransfer() = default;
    OutgoingTransfer(std::vector<LargeTensor> tensors, const Chunking& chunking);

    /// Absolute. A smaller grant than before is an old one and changes nothing.
    void grant(std::uint64_t granted_bytes);
    /// For a stream that is still being made: only bytes below this exist. Starts at the whole.
    void set_ready(std::uint64_t ready_bytes) { ready_bytes_ = ready_bytes; }

    /// The next piece below the grant and the ready bound; nothing when there is none now.
    /// A piece counts as sent when it has been returned.
    std::optional<Piece> next();

    bool done() const { return sent_bytes_ == total_bytes_; }
    std::uint64_t sent_bytes() const { return sent_bytes_; }
    std::uint64_t granted_bytes() const { return granted_bytes_; }
    std::uint64_t total_bytes() const { return total_bytes_; }

  private:
    void skip_finished_tensors();

    std::vector<LargeTensor> tensors_;
    Chunking chunking_;
    std::uint64_t total_bytes_{0};
    std::uint64_t ready_bytes_{0};
    std::uint64_t granted_bytes_{0};
    std::uint64_t sent_bytes_{0};
    std::size_t frame_{0};     ///< tensor that the next piece comes from
    std::uint64_t offset_{0};  ///< in that tensor
};

/// The receiver's half. Checks that pieces come in order, once, inside their tensor and below the
/// grant, and says when it is time to move the grant on.
class IncomingTransfer {
  public:
    IncomingTransfer() = default;
    IncomingTransfer(std::vector<LargeTensor> tensors, const Chunking& chunking);

    /// Takes a chunk that came; answers with the frame that it belongs to. An error (protocol)
    /// names the field, the value and what was expected, and changes nothing.
    Result<std::uint16_t> accept(std::uint16_t tensor, std::uint64_t offset, std::uint64_t length);

    /// The grant to announce now; nothing while the last one has more than half its window left.
    /// Counts as announced when it has been returned. The first call always answers, unless the
    /// stream is empty.
    std::optional<std::uint64_t> next_grant();

    bool done() const { return received_bytes_ == total_bytes_; }
    std::uint64_t received_bytes() const { return received_bytes_; }
    std::uint64_t granted_bytes() const { return granted_bytes_; }
    std::uint64_t total_bytes() const { return total_bytes_; }

  private:
    void skip_finished_tensors();

    std::vector<LargeTensor> tensors_;
    Chunking chunking_;
    std::uint64_t total_bytes_{0};
    std::uint64_t granted_bytes_{0};
    std::uint64_t received_bytes_{0};
    std::size_t frame_{0};
    std::uint64_t offset_{0};
};

}  // namespace farm
