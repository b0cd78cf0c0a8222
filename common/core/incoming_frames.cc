#include "common/core/incoming_frames.h"

#include <cstring>
#include <new>
#include <utility>

#include "common/core/expect.h"

namespace farm {

IncomingFrames::IncomingFrames(const std::vector<LargeTensor>& tensors, Allocate allocate)
    : allocate_(std::move(allocate)) {
    for (const LargeTensor& tensor : tensors) frames_.push_back({tensor.size_bytes, {}, {}});
}

void IncomingFrames::store(std::uint16_t frame, std::uint64_t offset, Buffer chunk) {
    if (out_of_memory_) return;
    Frame& into = frames_.at(frame);
    FARM_EXPECT(offset <= into.size_bytes && chunk.size() <= into.size_bytes - offset);
    if (chunk.size() == into.size_bytes) {
        into.whole = std::move(chunk);
        return;
    }
    try {
        if (into.block.size() == 0) into.block = allocate_(into.size_bytes);
    } catch (const std::bad_alloc&) {
        out_of_memory_ = true;
        return frames_.clear();
    }
    std::memcpy(into.block.data() + offset, chunk.data(), chunk.size());
}

Result<std::vector<Buffer>> IncomingFrames::take() && {
    if (out_of_memory_) return fail(ErrorCode::unavailable, "no memory for large tensors");
    std::vector<Buffer> buffers;
    for (Frame& frame : frames_) {
        const bool is_whole = frame.block.size() == 0;
        buffers.push_back(is_whole ? std::move(frame.whole) : std::move(frame.block).freeze());
    }
    return buffers;
}

}  // namespace farm
