#include "common/core/buffer.h"

#include <cstdint>
#include <cstring>
#include <new>

#include "common/core/expect.h"

namespace farm {

namespace {
constexpr std::size_t alignment = 64;
}

/// One block for count and bytes, with room to move the bytes to the next boundary: aligned_alloc()
/// is far slower than malloc().
MutableBuffer::MutableBuffer(std::size_t size) : size_(size) {
    if (size > SIZE_MAX - alignment) throw std::bad_alloc();
    auto block = std::make_shared_for_overwrite<std::byte[]>(size + alignment - 1);
    void* data = block.get();
    std::size_t room = size + alignment - 1;
    std::align(alignment, size, data, room);
    data_ = std::shared_ptr<std::byte>(std::move(block), static_cast<std::byte*>(data));
}

Buffer Buffer::slice(std::size_t offset, std::size_t size) const {
    FARM_EXPECT(offset <= size_ && size <= size_ - offset);
    return Buffer(std::shared_ptr<const std::byte>(data_, data_.get() + offset), size);
}

Buffer Buffer::copy_of(Bytes bytes) {
    MutableBuffer block(bytes.size());
    if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
    return std::move(block).freeze();
}

Buffer Buffer::view_of(Bytes bytes) {
    return Buffer(std::shared_ptr<const std::byte>(std::shared_ptr<void>(), bytes.data()),
                  bytes.size());
}

std::uint64_t Payload::size_bytes() const {
    std::uint64_t total = body.size();
    for (const Buffer& frame : frames) total += frame.size();
    return total;
}

PayloadId PayloadStore::add(Payload payload) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    slots_[number].payload = std::move(payload);
    return PayloadId{std::uint64_t{slots_[number].use} << slot_bits | number};
}

Payload* PayloadStore::find(PayloadId id) {
    const auto number = static_cast<std::uint32_t>(id.value);
    if (number >= slots_.size() || slots_[number].use != id.value >> slot_bits) return nullptr;
    return &slots_[number].payload;
}

Payload PayloadStore::take(PayloadId id) {
    Payload* found = find(id);
    if (found == nullptr) return {};
    const auto number = static_cast<std::uint32_t>(id.value);
    if (++slots_[number].use == 0) slots_[number].use = 1;  // no payload is number 0
    free_.push_back(number);
    return std::exchange(*found, {});
}

}  // namespace farm
