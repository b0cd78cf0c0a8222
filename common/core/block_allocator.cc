#include "common/core/block_allocator.h"

#include <algorithm>
#include <iterator>

#include "common/core/expect.h"

namespace farm {

BlockAllocator::BlockAllocator(std::uint64_t region_bytes) {
    FARM_EXPECT(region_bytes > 0 && region_bytes % granule_bytes == 0);
    holes_.emplace(0, region_bytes);
}

std::optional<std::uint64_t> BlockAllocator::allocate(std::uint64_t size_bytes) {
    const std::uint64_t size = rounded(size_bytes);
    const auto hole = std::ranges::find_if(
        holes_, [size](const auto& candidate) { return candidate.second >= size; });
    if (hole == holes_.end()) return std::nullopt;
    const std::uint64_t offset = hole->first;
    const std::uint64_t rest = hole->second - size;
    const auto next = holes_.erase(hole);
    if (rest > 0) holes_.emplace_hint(next, offset + size, rest);
    used_bytes_ += size;
    return offset;
}

void BlockAllocator::free(std::uint64_t offset, std::uint64_t size_bytes) {
    std::uint64_t size = rounded(size_bytes);
    FARM_EXPECT(size <= used_bytes_);
    used_bytes_ -= size;
    auto next = holes_.lower_bound(offset);
    FARM_EXPECT(next == holes_.end() || offset + size <= next->first);
    if (next != holes_.end() && offset + size == next->first) {
        size += next->second;
        next = holes_.erase(next);
    }
    if (next != holes_.begin()) {
        const auto before = std::prev(next);
        FARM_EXPECT(before->first + before->second <= offset);
        if (before->first + before->second == offset) {
            before->second += size;
            return;
        }
    }
    holes_.emplace_hint(next, offset, size);
}

}  // namespace farm
