#include "gpu_worker/device/pinned_memory.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace farm {

std::shared_ptr<PinnedMemory> PinnedMemory::make(std::unique_ptr<Source> source,
                                                 std::uint64_t limit_bytes) {
    return std::shared_ptr<PinnedMemory>(new PinnedMemory(std::move(source), limit_bytes));
}

PinnedMemory::~PinnedMemory() {
    for (const Block& block : free_) source_->give_back(block.data);
}

/// Four classes to a doubling.
std::size_t PinnedMemory::class_bytes(std::size_t size) {
    const std::size_t step = std::max(std::bit_floor(size) / 4, smallest_bytes);
    if (size > SIZE_MAX - step) throw std::bad_alloc();
    return (size + step - 1) / step * step;
}

MutableBuffer PinnedMemory::allocate(std::size_t size) {
    if (size < smallest_bytes) return MutableBuffer(size);
    const std::size_t bytes = class_bytes(size);
    std::byte* const data = take(bytes);
    if (data == nullptr) return MutableBuffer(size);
    return {std::shared_ptr<std::byte>(data, GiveBack{shared_from_this(), bytes}), size};
}

PinnedMemory::Counts PinnedMemory::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

std::byte* PinnedMemory::take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    std::byte* data = take_free(bytes);
    if (data == nullptr) data = take_new(bytes);
    if (data == nullptr) {
        ++counts_.refused_count;
    } else {
        counts_.in_use_bytes += bytes;
    }
    return data;
}

std::byte* PinnedMemory::take_free(std::size_t bytes) {
    const auto last = std::find_if(free_.rbegin(), free_.rend(),
                                   [&](const Block& block) { return block.bytes == bytes; });
    if (last == free_.rend()) return nullptr;
    std::byte* const data = last->data;
    free_.erase(std::next(last).base());
    return data;
}

std::byte* PinnedMemory::take_new(std::size_t bytes) {
    if (bytes > limit_bytes_ || counts_.in_use_bytes > limit_bytes_ - bytes) return nullptr;
    free_.reserve(block_count_ + 1);  // a block that comes back must find a place
    make_room(bytes);
    std::byte* const data = source_->take(bytes);
    if (data == nullptr) return nullptr;
    ++block_count_;
    counts_.held_bytes += bytes;
    return data;
}

/// The blocks that were not used for longest go.
void PinnedMemory::make_room(std::size_t bytes) {
    auto end = free_.begin();
    for (; counts_.held_bytes > limit_bytes_ - bytes; ++end) {
        source_->give_back(end->data);
        counts_.held_bytes -= end->bytes;
        --block_count_;
    }
    free_.erase(free_.begin(), end);
}

void PinnedMemory::give_back(Block block) {
    const std::lock_guard lock(mutex_);
    counts_.in_use_bytes -= block.bytes;
    free_.push_back(block);
}

}  // namespace farm
