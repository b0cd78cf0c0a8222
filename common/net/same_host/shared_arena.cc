#include "common/net/same_host/shared_arena.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <unistd.h>

#include "schemas/limits.h"

namespace farm {

/// The deleter of a block; keeps the arena, and so the memory, until then.
struct SharedArena::FreeBlock {
    std::shared_ptr<SharedArena> arena;
    Place place;
    std::size_t size_bytes;

    void operator()(const std::byte*) const { arena->free(place, size_bytes); }
};

std::shared_ptr<SharedArena> SharedArena::make() {
    return std::shared_ptr<SharedArena>(new SharedArena);
}

std::shared_ptr<SharedArena> SharedArena::of_process() {
    static std::mutex mutex;
    static std::weak_ptr<SharedArena> known;
    static pid_t owner = 0;
    std::lock_guard lock(mutex);
    std::shared_ptr<SharedArena> arena = known.lock();
    if (!arena || owner != ::getpid()) {
        known = arena = make();
        owner = ::getpid();
    }
    return arena;
}

std::optional<MutableBuffer> SharedArena::allocate(std::size_t size_bytes) {
    if (size_bytes > limits::shared_memory_bytes) return std::nullopt;
    std::lock_guard lock(mutex_);
    for (auto& [number, region] : regions_) {
        if (auto block = take(number, region, size_bytes)) return block;
    }
    Region* fresh = add_region(size_bytes);
    if (fresh == nullptr) return std::nullopt;
    return take(last_number_, *fresh, size_bytes);
}

std::optional<MutableBuffer> SharedArena::take(std::uint32_t number, Region& region,
                                               std::size_t size_bytes) {
    const auto offset = region.blocks.allocate(size_bytes);
    if (!offset) return std::nullopt;
    std::byte* data = region.memory->data() + *offset;
    return MutableBuffer({data, FreeBlock{shared_from_this(), {number, *offset}, size_bytes}},
                         size_bytes);
}

SharedArena::Region* SharedArena::add_region(std::size_t size_bytes) {
    const std::size_t size = std::max(region_bytes, BlockAllocator::rounded(size_bytes));
    const bool has_room = regions_.size() < limits::region_count &&
                          size <= limits::shared_memory_bytes - total_bytes_;
    if (!has_room) return nullptr;
    auto memory = SharedRegion::make(size);
    if (!memory) return nullptr;
    total_bytes_ += size;
    by_address_.emplace((*memory)->data(), ++last_number_);
    return &regions_
                .emplace(last_number_,
                         Region{std::move(*memory), BlockAllocator(size), TimePoint{}})
                .first->second;
}

void SharedArena::free(const Place& place, std::size_t size_bytes) {
    std::lock_guard lock(mutex_);
    Region& region = regions_.at(place.region);
    region.blocks.free(place.offset, size_bytes);
    if (region.blocks.used_bytes() == 0) region.idle_since = steady_now();
}

std::optional<SharedArena::Place> SharedArena::find(Bytes bytes) const {
    std::lock_guard lock(mutex_);
    const auto after = by_address_.upper_bound(bytes.data());
    if (after == by_address_.begin()) return std::nullopt;
    const auto& [begin, number] = *std::prev(after);
    const std::size_t offset = static_cast<std::size_t>(bytes.data() - begin);
    const std::size_t size = regions_.at(number).memory->size();
    if (offset >= size || bytes.size() > size - offset) return std::nullopt;
    return Place{number, offset};
}

std::shared_ptr<SharedRegion> SharedArena::region(std::uint32_t number) const {
    std::lock_guard lock(mutex_);
    const auto found = regions_.find(number);
    return found == regions_.end() ? nullptr : found->second.memory;
}

void SharedArena::drop_idle_regions(TimePoint now) {
    std::lock_guard lock(mutex_);
    std::erase_if(regions_, [&](const auto& entry) {
        const Region& region = entry.second;
        if (region.blocks.used_bytes() > 0 || now < region.idle_since + idle_time) return false;
        total_bytes_ -= region.memory->size();
        by_address_.erase(region.memory->data());
        ++dropped_count_;
        return true;
    });
}

std::uint64_t SharedArena::dropped_count() const {
    std::lock_guard lock(mutex_);
    return dropped_count_;
}

std::uint64_t SharedArena::used_bytes() const {
    std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto& [number, region] : regions_) sum += region.blocks.used_bytes();
    return sum;
}

std::size_t SharedArena::region_count() const {
    std::lock_guard lock(mutex_);
    return regions_.size();
}

}  // namespace farm
