#include "common/core/transfer.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "common/core/expect.h"

namespace farm {

namespace {

std::string text(std::uint64_t number) { return std::to_string(number); }

/// The next piece's frame and offset, behind tensors that are complete (or empty).
void skip_finished(const std::vector<LargeTensor>& tensors, std::size_t& frame,
                   std::uint64_t& offset) {
    while (frame < tensors.size() && offset == tensors[frame].size_bytes) {
        ++frame;
        offset = 0;
    }
}

void expect_sane(const Chunking& chunking) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    FARM_EXPECT(chunking.chunk_bytes > 0 && chunking.chunk_bytes <= most);
    FARM_EXPECT(chunking.window_bytes > 0);
    // Else a sender would wait for room that a receiver gives when half of the window is used.
    FARM_EXPECT(chunking.whole_bytes <= std::min(most, chunking.window_bytes / 2));
}

}  // namespace

std::uint64_t stream_bytes(const std::vector<LargeTensor>& tensors) {
    std::uint64_t total = 0;
    for (const LargeTensor& tensor : tensors) total += tensor.size_bytes;
    return total;
}

OutgoingTransfer::OutgoingTransfer(std::vector<LargeTensor> tensors, const Chunking& chunking)
    : tensors_(std::move(tensors)),
      chunking_(chunking),
      total_bytes_(stream_bytes(tensors_)),
      ready_bytes_(total_bytes_) {
    expect_sane(chunking);
    skip_finished_tensors();
}

void OutgoingTransfer::grant(std::uint64_t granted_bytes) {
    granted_bytes_ = std::max(granted_bytes_, std::min(granted_bytes, total_bytes_));
}

std::optional<Piece> OutgoingTransfer::next() {
    const std::uint64_t bound = std::min({granted_bytes_, ready_bytes_, total_bytes_});
    if (sent_bytes_ >= bound) return std::nullopt;
    const LargeTensor& tensor = tensors_[frame_];
    const bool is_whole = tensor.size_bytes <= chunking_.whole_bytes;
    if (is_whole && tensor.size_bytes > bound - sent_bytes_) return std::nullopt;
    const std::uint64_t length = std::min({chunking_.largest_chunk(tensor.size_bytes),
                                           tensor.size_bytes - offset_, bound - sent_bytes_});
    const Piece piece{static_cast<std::uint16_t>(frame_), tensor.tensor, offset_,
                      static_cast<std::uint32_t>(length)};
    offset_ += length;
    sent_bytes_ += length;
    skip_finished_tensors();
    return piece;
}

void OutgoingTransfer::skip_finished_tensors() { skip_finished(tensors_, frame_, offset_); }

IncomingTransfer::IncomingTransfer(std::vector<LargeTensor> tensors, const Chunking& chunking)
    : tensors_(std::move(tensors)), chunking_(chunking), total_bytes_(stream_bytes(tensors_)) {
    expect_sane(chunking);
    skip_finished_tensors();
}

Result<std::uint16_t> IncomingTransfer::accept(std::uint16_t tensor, std::uint64_t offset,
                                               std::uint64_t length) {
    const auto refuse = [](std::string message) {
        return fail(ErrorCode::protocol, "chunk " + std::move(message));
    };
    if (done()) {
        return refuse("of tensor " + text(tensor) + " came after the last byte (all " +
                      text(total_bytes_) + " are here): send each chunk once");
    }
    const LargeTensor& expected = tensors_[frame_];
    if (tensor != expected.tensor) {
        return refuse("has tensor " + text(tensor) + " (the next byte belongs to tensor " +
                      text(expected.tensor) + "): send tensors in order");
    }
    if (offset != offset_) {
        return refuse("of tensor " + text(tensor) + " has offset " + text(offset) + " (" +
                      (offset < offset_ ? "these bytes are here already" : "this leaves a gap") +
                      ", the next byte is " + text(offset_) + "): send chunks once and in order");
    }
    const std::uint64_t largest = chunking_.largest_chunk(expected.size_bytes);
    if (length == 0 || length > largest) {
        return refuse("of tensor " + text(tensor) + " has length " + text(length) +
                      " (the limits are 1 and " + text(largest) + "): cut it differently");
    }
    if (length > expected.size_bytes - offset_) {
        return refuse("of tensor " + text(tensor) + " has offset " + text(offset) + " and length " +
                      text(length) + " (the tensor ends at " + text(expected.size_bytes) +
                      "): stop at the end of the tensor");
    }
    if (length > granted_bytes_ - received_bytes_) {
        return refuse("of tensor " + text(tensor) + " has length " + text(length) + " (the grant " +
                      "has " + text(granted_bytes_ - received_bytes_) +
                      " bytes left): wait for SEND");
    }
    const auto frame = static_cast<std::uint16_t>(frame_);
    offset_ += length;
    received_bytes_ += length;
    skip_finished_tensors();
    return frame;
}

std::optional<std::uint64_t> IncomingTransfer::next_grant() {
    const std::uint64_t target =
        received_bytes_ + std::min(chunking_.window_bytes, total_bytes_ - received_bytes_);
    const bool half_is_left = granted_bytes_ - received_bytes_ > chunking_.window_bytes / 2;
    if (target <= granted_bytes_ || half_is_left) return std::nullopt;
    granted_bytes_ = target;
    return target;
}

void IncomingTransfer::skip_finished_tensors() { skip_finished(tensors_, frame_, offset_); }

}  // namespace farm
