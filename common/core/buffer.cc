#include "common/core/buffer.h"

#include <cstring>
#include <new>

#include "common/core/expect.h"

namespace farm {

namespace {
constexpr std::align_val_t block_alignment{64};
}

MutableBuffer::MutableBuffer(std::size_t size) : size_(size) {
    auto* block = static_cast<std::byte*>(::operator new(size == 0 ? 1 : size, block_alignment));
    data_ = std::shared_ptr<std::byte>(block,
                                       [](std::byte* p) { ::operator delete(p, block_alignment); });
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
    const PayloadId id{next_++};
    payloads_.emplace(id, std::move(payload));
    return id;
}

Payload* PayloadStore::find(PayloadId id) {
    const auto found = payloads_.find(id);
    return found == payloads_.end() ? nullptr : &found->second;
}

Payload PayloadStore::take(PayloadId id) {
    const auto found = payloads_.find(id);
    if (found == payloads_.end()) return {};
    Payload payload = std::move(found->second);
    payloads_.erase(found);
    return payload;
}

void PayloadStore::drop(PayloadId id) { payloads_.erase(id); }

}  // namespace farm
