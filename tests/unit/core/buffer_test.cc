#include "common/core/buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace farm {
namespace {

Payload payload_of(std::size_t size) {
    Payload payload;
    payload.body = MutableBuffer(size).freeze();
    return payload;
}

TEST(MutableBufferTest, IsAlignedForEverySize) {
    for (const std::size_t size : {0, 1, 63, 64, 65, 1000, 100'000}) {
        MutableBuffer block(size);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % 64, 0U) << size;
        EXPECT_EQ(block.size(), size);
    }
}

TEST(MutableBufferTest, RefusesWhatNoMachineHas) {
    EXPECT_THROW(MutableBuffer(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
}

TEST(MutableBufferTest, SharesItsBytesWhenFrozen) {
    MutableBuffer block(3);
    block.data()[1] = std::byte{7};
    const std::byte* data = block.data();
    const Buffer whole = std::move(block).freeze();
    const Buffer part = whole.slice(1, 2);
    EXPECT_EQ(whole.data(), data);
    EXPECT_EQ(part.data(), data + 1);
    EXPECT_EQ(part.data()[0], std::byte{7});
}

TEST(PayloadStoreTest, GivesBackWhatItWasGiven) {
    PayloadStore store;
    const PayloadId one = store.add(payload_of(1));
    const PayloadId two = store.add(payload_of(2));
    EXPECT_TRUE(one);
    EXPECT_NE(one, two);
    EXPECT_EQ(store.count(), 2U);
    EXPECT_EQ(store.find(two)->body.size(), 2U);
    EXPECT_EQ(store.take(one).body.size(), 1U);
    EXPECT_EQ(store.count(), 1U);
}

TEST(PayloadStoreTest, KnowsOldNumbersFromNewOnes) {
    PayloadStore store;
    const PayloadId old = store.add(payload_of(1));
    store.drop(old);
    const PayloadId fresh = store.add(payload_of(2));  // in the same slot
    EXPECT_NE(old, fresh);
    EXPECT_EQ(store.find(old), nullptr);
    store.drop(old);
    EXPECT_EQ(store.take(old).body.size(), 0U);
    EXPECT_EQ(store.find(fresh)->body.size(), 2U);
    EXPECT_EQ(store.find(PayloadId{}), nullptr);
}

}  // namespace
}  // namespace farm
