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
    {
        const std::lock_guard lock(mutex_);
        if (std::byte* const data = take_free(bytes)) return data;
    }
    return take_new(bytes);
}

/// Others give and take free blocks meanwhile: to lock pages takes milliseconds.
std::byte* PinnedMemory::take_new(std::size_t bytes) {
    const std::lock_guard source_lock(source_mutex_);
    std::vector<Block> leaving;
    {
        const std::lock_guard lock(mutex_);
        if (std::byte* const data = take_free(bytes)) return data;
        if (bytes > limit_bytes_ || counts_.in_use_bytes > limit_bytes_ - bytes) {
            ++counts_.refused_count;
            return nullptr;
        }
        leaving = make_room(bytes);
    }
    for (const Block& block : leaving) source_->give_back(block.data);
    std::byte* const data = source_->take(bytes);
    if (data != nullptr) return data;
    const std::lock_guard lock(mutex_);
    --block_count_;
    counts_.held_bytes -= bytes;
    counts_.in_use_bytes -= bytes;
    ++counts_.refused_count;
    return nullptr;
}

std::byte* PinnedMemory::take_free(std::size_t bytes) {
    const auto last = std::find_if(free_.rbegin(), free_.rend(),
                                   [&](const Block& block) { return block.bytes == bytes; });
    if (last == free_.rend()) return nullptr;
    std::byte* const data = last->data;
    free_.erase(std::next(last).base());
    counts_.in_use_bytes += bytes;
    return data;
}

/// For one more block, which counts from now on. The blocks that were not used for longest go.
std::vector<PinnedMemory::Block> PinnedMemory::make_room(std::size_t bytes) {
    free_.reserve(block_count_ + 1);  // a block that comes back must find a place
    std::uint64_t held_bytes = counts_.held_bytes;
    auto end = free_.begin();
    for (; held_bytes > limit_bytes_ - bytes; ++end) held_bytes -= end->bytes;
    std::vector<Block> leaving(free_.begin(), end);
    free_.erase(free_.begin(), end);
    block_count_ = block_count_ + 1 - leaving.size();
    counts_.held_bytes = held_bytes + bytes;
    counts_.in_use_bytes += bytes;
    return leaving;
}

void PinnedMemory::give_back(Block block) {
    const std::lock_guard lock(mutex_);
    counts_.in_use_bytes -= block.bytes;
    free_.push_back(block);
}

Allocate allocate_in(std::shared_ptr<PinnedMemory> pinned) {
    if (pinned == nullptr) return heap_block;
    return [memory = std::move(pinned)](std::size_t size) { return memory->allocate(size); };
}

}  // namespace farm
