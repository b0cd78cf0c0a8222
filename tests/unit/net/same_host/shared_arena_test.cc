#include "common/net/same_host/shared_arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "schemas/limits.h"

namespace farm {
namespace {

TEST(SharedArenaTest, BlocksArePageAlignedAndCanBeFound) {
    const auto arena = SharedArena::make();
    auto first = arena->allocate(5000);
    auto second = arena->allocate(1);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second->data()) % 4096, 0U);
    const auto place = arena->find(Bytes(second->data(), 1));
    ASSERT_TRUE(place);
    EXPECT_EQ(place->offset, 8192U);
    const int elsewhere = 0;
    EXPECT_FALSE(arena->find(std::as_bytes(std::span(&elsewhere, 1))));
}

TEST(SharedArenaTest, ABlockIsFreeWhenItsLastBufferGoes) {
    const auto arena = SharedArena::make();
    Buffer part;
    {
        auto block = arena->allocate(100'000);
        ASSERT_TRUE(block);
        const Buffer whole = std::move(*block).freeze();
        part = whole.slice(10, 20);
    }
    EXPECT_GT(arena->used_bytes(), 0U);
    part = {};
    EXPECT_EQ(arena->used_bytes(), 0U);
}

TEST(SharedArenaTest, ABlockLargerThanARegionGetsOneOfItsOwn) {
    const auto arena = SharedArena::make();
    const auto small = arena->allocate(1);
    const auto large = arena->allocate(SharedArena::region_bytes + 1);
    ASSERT_TRUE(small && large);
    EXPECT_EQ(arena->region_count(), 2U);
}

TEST(SharedArenaTest, MoreThanAllowedIsRefused) {
    const auto arena = SharedArena::make();
    EXPECT_FALSE(arena->allocate(limits::shared_memory_bytes + 1));
    const auto held = arena->allocate(1);
    ASSERT_TRUE(held);
    EXPECT_FALSE(arena->allocate(SIZE_MAX)) << "its size in whole pages is no number";
    EXPECT_EQ(arena->used_bytes(), 4096U);
}

TEST(SharedArenaTest, ARegionThatNobodyUsesGoesAfterAWhile) {
    const auto arena = SharedArena::make();
    auto kept = arena->allocate(SharedArena::region_bytes);
    auto used = arena->allocate(SharedArena::region_bytes);
    ASSERT_TRUE(kept && used);
    const std::uint32_t number = arena->find(used->bytes())->region;
    used.reset();
    const TimePoint now = steady_now();
    arena->drop_idle_regions(now);
    EXPECT_EQ(arena->region_count(), 2U);
    arena->drop_idle_regions(now + SharedArena::idle_time);
    EXPECT_EQ(arena->region_count(), 1U);
    EXPECT_EQ(arena->dropped_count(), 1U);
    EXPECT_EQ(arena->region(number), nullptr);
    EXPECT_TRUE(arena->find(kept->bytes()));
}

TEST(SharedArenaTest, ABlockOutlivesTheArenasUsers) {
    auto arena = SharedArena::make();
    auto block = arena->allocate(10);
    ASSERT_TRUE(block);
    arena.reset();
    std::memset(block->data(), 1, 10);
}

TEST(SharedArenaTest, AProcessHasOneAndAForkedChildAnother) {
    const auto arena = SharedArena::of_process();
    EXPECT_EQ(SharedArena::of_process(), arena);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(SharedArena::of_process() == arena ? 1 : 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace farm
