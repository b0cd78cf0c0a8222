#include "common/core/block_allocator.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace farm {
namespace {

constexpr std::uint64_t page = BlockAllocator::granule_bytes;

TEST(BlockAllocatorTest, TakesTheLowestHoleThatFits) {
    BlockAllocator blocks(8 * page);
    EXPECT_EQ(blocks.allocate(2 * page), 0U);
    EXPECT_EQ(blocks.allocate(1), 2 * page);
    EXPECT_EQ(blocks.allocate(2 * page), 3 * page);
    blocks.free(0, 2 * page);
    EXPECT_EQ(blocks.allocate(3 * page), 5 * page) << "the hole at 0 is too small";
    EXPECT_EQ(blocks.allocate(page + 1), 0U);
    EXPECT_FALSE(blocks.allocate(1));
}

TEST(BlockAllocatorTest, FreeNeighboursAreOneHole) {
    BlockAllocator blocks(3 * page);
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(blocks.allocate(page), i * page);
    blocks.free(0, page);
    blocks.free(2 * page, page);
    EXPECT_FALSE(blocks.allocate(2 * page));
    blocks.free(page, page);
    EXPECT_EQ(blocks.used_bytes(), 0U);
    EXPECT_EQ(blocks.allocate(3 * page), 0U);
}

TEST(BlockAllocatorTest, ABlockOfNothingHasAnAddressOfItsOwn) {
    BlockAllocator blocks(2 * page);
    EXPECT_EQ(blocks.allocate(0), 0U);
    EXPECT_EQ(blocks.allocate(0), page);
}

struct Block {
    std::uint64_t offset;
    std::uint64_t size;
};

/// Whatever is taken and freed in whatever order: blocks lie inside, apart, and all of it comes
/// back.
TEST(BlockAllocatorTest, BlocksNeverOverlapAndAllOfThemComeBack) {
    const bool holds = rc::check([] {
        constexpr std::uint64_t region = 64 * page;
        BlockAllocator blocks(region);
        std::vector<Block> taken;
        const auto sizes = *rc::gen::container<std::vector<std::uint64_t>>(
            rc::gen::inRange<std::uint64_t>(0, 12 * page));
        for (const std::uint64_t size : sizes) {
            const auto offset = blocks.allocate(size);
            if (!offset || *rc::gen::inRange(0, 3) == 0) {
                if (offset) blocks.free(*offset, size);
                if (taken.empty()) continue;
                const auto victim = *rc::gen::inRange<std::size_t>(0, taken.size());
                blocks.free(taken[victim].offset, taken[victim].size);
                taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(victim));
                continue;
            }
            RC_ASSERT(*offset % page == 0U);
            RC_ASSERT(*offset + size <= region);
            for (const Block& other : taken) {
                RC_ASSERT(*offset + BlockAllocator::rounded(size) <= other.offset ||
                          other.offset + BlockAllocator::rounded(other.size) <= *offset);
            }
            taken.push_back({*offset, size});
        }
        for (const Block& block : taken) blocks.free(block.offset, block.size);
        RC_ASSERT(blocks.used_bytes() == 0U);
        RC_ASSERT(blocks.allocate(region) == std::optional<std::uint64_t>(0));
    });
    EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace farm
