#pragma once

#include <cstdint>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/core/transfer.h"

namespace farm {

/// The large tensors of one payload while their chunks come. A chunk that is a whole tensor is kept
/// where it lies; chunks of a larger one are copied into a block of its size. Which chunk goes
/// where is IncomingTransfer's to say. A value, used by one thread.
class IncomingFrames {
  public:
    IncomingFrames() = default;
    explicit IncomingFrames(const std::vector<LargeTensor>& tensors,
                            Allocate allocate = heap_block);

    /// Requires a place that IncomingTransfer::accept() has found. Memory is taken at the first
    /// chunk of a tensor; when there is none, this and all later chunks are forgotten.
    void store(std::uint16_t frame, std::uint64_t offset, Buffer chunk);
    /// When all chunks have been stored: the tensors, in order. Errors (unavailable): there was no
    /// memory for them.
    Result<std::vector<Buffer>> take() &&;

  private:
    struct Frame {
        std::uint64_t size_bytes{0};
        Buffer whole;
        MutableBuffer block;
    };
    Allocate allocate_{heap_block};
    std::vector<Frame> frames_;  ///< empty without the memory
    bool out_of_memory_{false};
};

}  // namespace farm
