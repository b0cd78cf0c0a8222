#include "common/net/bounded_queue.h"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(BoundedQueueTest, FullQueueLeavesTheItemWithItsOwner) {
    Waker waker;
    BoundedQueue<std::unique_ptr<int>> queue(1, waker);
    EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(queue.push(std::move(second)));
    ASSERT_TRUE(second);
    EXPECT_EQ(*second, 2);
    std::vector<std::unique_ptr<int>> out;
    queue.drain(out);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_TRUE(queue.push(std::move(second)));
}

TEST(BoundedQueueTest, LoopGetsEverythingInOrderPerThread) {
    constexpr int count = 50'000;
    Poller poller;
    Waker waker;
    poller.watch(waker);
    BoundedQueue<int> queue(64, waker);
    std::thread producer([&] {
        for (int i = 0; i < count; ++i) {
            int item = i;
            while (!queue.push(std::move(item))) std::this_thread::yield();
        }
    });
    std::vector<int> out;
    int expected = 0;
    while (expected < count) {
        queue.drain(out);
        EXPECT_LE(out.size(), 64U);
        for (int item : out) EXPECT_EQ(item, expected++);
        if (out.empty()) poller.wait(std::nullopt);
    }
    producer.join();
}

}  // namespace
}  // namespace farm
