// Blocks are used again, the limit holds, and what cannot be pinned is ordinary memory.
#include "gpu_worker/device/pinned_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <utility>

namespace farm {
namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

/// What a source was asked for; outlives it.
struct Book {
    std::map<std::byte*, std::size_t> taken;
    std::size_t take_count{0};
    bool refuses{false};
    std::function<void()> while_taking{};
};

class FakeSource final : public PinnedMemory::Source {
  public:
    explicit FakeSource(Book& book) : book_(book) {}

    std::byte* take(std::size_t bytes) override {
        if (book_.refuses) return nullptr;
        if (book_.while_taking) std::exchange(book_.while_taking, {})();
        auto* const block = static_cast<std::byte*>(std::aligned_alloc(4096, bytes));
        book_.taken[block] = bytes;
        ++book_.take_count;
        return block;
    }
    void give_back(std::byte* block) override {
        EXPECT_EQ(book_.taken.erase(block), 1U);
        std::free(block);
    }

  private:
    Book& book_;
};

class PinnedMemoryTest : public testing::Test {
  protected:
    std::shared_ptr<PinnedMemory> memory(std::uint64_t limit_bytes) {
        return PinnedMemory::make(std::make_unique<FakeSource>(book_), limit_bytes);
    }
    bool is_pinned(MutableBuffer& block) const { return book_.taken.contains(block.data()); }

    Book book_;
};

TEST(PinnedMemoryClassTest, TakesAtMostAQuarterMore) {
    EXPECT_EQ(PinnedMemory::class_bytes(64 * kib), 64 * kib);
    EXPECT_EQ(PinnedMemory::class_bytes(64 * kib + 1), 128 * kib);
    EXPECT_EQ(PinnedMemory::class_bytes(4 * mib), 4 * mib);
    EXPECT_EQ(PinnedMemory::class_bytes(4 * mib + 1), 5 * mib);
    EXPECT_EQ(PinnedMemory::class_bytes(7 * mib + 1), 8 * mib);
    for (std::size_t size = 256 * kib; size < 64 * mib; size += size / 7 + 1) {
        const std::size_t bytes = PinnedMemory::class_bytes(size);
        EXPECT_GE(bytes, size);
        EXPECT_LE(bytes - size, size / 4);
        EXPECT_EQ(PinnedMemory::class_bytes(bytes), bytes);
    }
    EXPECT_THROW(PinnedMemory::class_bytes(SIZE_MAX), std::bad_alloc);
}

TEST_F(PinnedMemoryTest, BlockThatCameBackIsUsedAgain) {
    const auto pinned = memory(64 * mib);
    std::byte* first = nullptr;
    {
        MutableBuffer block = pinned->allocate(5 * mib - 3);
        first = block.data();
        EXPECT_TRUE(is_pinned(block));
        EXPECT_EQ(block.size(), 5 * mib - 3);
    }
    MutableBuffer again = pinned->allocate(5 * mib - 4096);
    EXPECT_EQ(again.data(), first);
    EXPECT_EQ(book_.take_count, 1U);
}

TEST_F(PinnedMemoryTest, SmallBlocksAreOrdinaryMemory) {
    const auto pinned = memory(64 * mib);
    MutableBuffer block = pinned->allocate(PinnedMemory::smallest_bytes - 1);
    EXPECT_FALSE(is_pinned(block));
    EXPECT_EQ(pinned->counts().refused_count, 0U);
}

TEST_F(PinnedMemoryTest, BeyondTheLimitMemoryIsOrdinaryAndCounted) {
    const auto pinned = memory(10 * mib);
    MutableBuffer first = pinned->allocate(8 * mib);
    MutableBuffer second = pinned->allocate(4 * mib);
    MutableBuffer third = pinned->allocate(2 * mib);
    EXPECT_TRUE(is_pinned(first));
    EXPECT_FALSE(is_pinned(second));
    EXPECT_TRUE(is_pinned(third));
    std::memset(second.data(), 1, second.size());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second.data()) % 64, 0U);
    EXPECT_EQ(pinned->counts().refused_count, 1U);
    EXPECT_EQ(pinned->counts().held_bytes, 10 * mib);
    EXPECT_EQ(pinned->counts().in_use_bytes, 10 * mib);
}

TEST_F(PinnedMemoryTest, FreeBlocksMakeRoomForAnotherSize) {
    const auto pinned = memory(10 * mib);
    pinned->allocate(4 * mib);
    MutableBuffer kept = pinned->allocate(6 * mib);
    EXPECT_EQ(book_.taken.size(), 2U);
    MutableBuffer other = pinned->allocate(3 * mib);
    EXPECT_TRUE(is_pinned(other));
    EXPECT_TRUE(is_pinned(kept));
    EXPECT_EQ(book_.taken.size(), 2U);
    EXPECT_EQ(pinned->counts().held_bytes, 9 * mib);
}

TEST_F(PinnedMemoryTest, WhatCannotBeHadLeavesFreeBlocksAlone) {
    const auto pinned = memory(10 * mib);
    pinned->allocate(4 * mib);
    MutableBuffer kept = pinned->allocate(6 * mib);
    MutableBuffer refused = pinned->allocate(5 * mib);
    EXPECT_FALSE(is_pinned(refused));
    EXPECT_EQ(pinned->counts().held_bytes, 10 * mib);
}

TEST_F(PinnedMemoryTest, SystemThatRefusesIsAskedAgainLater) {
    const auto pinned = memory(10 * mib);
    book_.refuses = true;
    MutableBuffer ordinary = pinned->allocate(mib);
    EXPECT_FALSE(is_pinned(ordinary));
    EXPECT_EQ(pinned->counts().held_bytes, 0U);
    book_.refuses = false;
    MutableBuffer block = pinned->allocate(mib);
    EXPECT_TRUE(is_pinned(block));
}

TEST_F(PinnedMemoryTest, NobodyElseWaitsWhileTheSystemLocksPages) {
    const auto pinned = memory(10 * mib);
    std::byte* const free = pinned->allocate(2 * mib).data();
    MutableBuffer meanwhile;
    book_.while_taking = [&] { meanwhile = pinned->allocate(2 * mib); };
    MutableBuffer fresh = pinned->allocate(3 * mib);
    EXPECT_TRUE(is_pinned(fresh));
    EXPECT_EQ(meanwhile.data(), free);
    EXPECT_EQ(pinned->counts().in_use_bytes, 5 * mib);
    EXPECT_EQ(pinned->counts().held_bytes, 5 * mib);
}

TEST_F(PinnedMemoryTest, BlocksOutliveTheOwnerAndComeBackOnAnyThread) {
    auto pinned = memory(10 * mib);
    MutableBuffer block = pinned->allocate(mib);
    std::optional<Buffer> buffer = std::move(block).freeze();
    pinned.reset();
    EXPECT_EQ(book_.taken.size(), 1U);
    std::thread([&] { buffer.reset(); }).join();
    EXPECT_TRUE(book_.taken.empty());
}

}  // namespace
}  // namespace farm
