#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "common/core/ids.h"

namespace farm {

using Bytes = std::span<const std::byte>;

/// Immutable bytes, shared; released by the last holder.
///
/// What holds them (a ZeroMQ frame, an aligned heap block, pinned memory, the caller's own array)
/// is hidden in the shared pointer. The last release may happen on an I/O thread of libzmq.
class Buffer {
  public:
    Buffer() = default;
    Buffer(std::shared_ptr<const std::byte> data, std::size_t size)
        : data_(std::move(data)), size_(size) {}

    Bytes bytes() const { return {data_.get(), size_}; }
    const std::byte* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    /// A part of this buffer that keeps the whole alive. Requires offset + size <= this->size().
    Buffer slice(std::size_t offset, std::size_t size) const;

    /// Owned copy, aligned to 64 bytes.
    static Buffer copy_of(Bytes bytes);
    /// Bytes that the caller keeps alive and unchanged until the last holder lets go.
    static Buffer view_of(Bytes bytes);

  private:
    std::shared_ptr<const std::byte> data_;
    std::size_t size_{0};
};

/// A 64-byte aligned block to be written once and then shared as a Buffer.
class MutableBuffer {
  public:
    MutableBuffer() = default;
    /// Uninitialised. Throws std::bad_alloc.
    explicit MutableBuffer(std::size_t size);
    /// Memory of somebody else's, 64-byte aligned, held by the pointer.
    MutableBuffer(std::shared_ptr<std::byte> data, std::size_t size)
        : data_(std::move(data)), size_(size) {}

    std::byte* data() { return data_.get(); }
    std::size_t size() const { return size_; }
    std::span<std::byte> bytes() { return {data_.get(), size_}; }
    Buffer freeze() && { return Buffer(std::move(data_), std::exchange(size_, 0)); }

  private:
    std::shared_ptr<std::byte> data_;
    std::size_t size_{0};
};

/// Gives an uninitialised block of so many bytes, or throws std::bad_alloc. Any thread.
using Allocate = std::function<MutableBuffer(std::size_t)>;
inline MutableBuffer heap_block(std::size_t size) { return MutableBuffer(size); }

/// The bytes of one call or result: `body` is frame 1's share (msgpack descriptors and tensors of
/// at most 1 KiB), `frames` are the raw bytes of the larger tensors, in order.
struct Payload {
    Buffer body;
    std::vector<Buffer> frames;

    std::uint64_t size_bytes() const;
};

/// Where a rim keeps the payloads that its machine knows by number. Owned and used by one thread.
///
/// A number is a slot and how often that slot was used, so old numbers are told from new ones
/// without a search. Slots are never given back: there are as many as payloads were held at once.
class PayloadStore {
  public:
    PayloadId add(Payload payload);
    /// Null when the id is unknown or already taken. Valid until the payload is taken.
    Payload* find(PayloadId id);
    /// Empty payload when the id is unknown or already taken.
    Payload take(PayloadId id);
    void drop(PayloadId id) { take(id); }
    std::size_t count() const { return slots_.size() - free_.size(); }

  private:
    struct Slot {
        Payload payload;
        std::uint32_t use{1};  ///< of the payload that is in it, or will be next
    };
    static constexpr int slot_bits = 32;

    std::deque<Slot> slots_;
    std::vector<std::uint32_t> free_;
};

}  // namespace farm
