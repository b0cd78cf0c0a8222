#include "common/net/frame.h"

#include <memory>

#include <gtest/gtest.h>
#include <zmq.hpp>

namespace farm {
namespace {

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7);
    return bytes;
}

bool equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

TEST(FrameTest, BytesSurviveBothWays) {
    for (std::size_t size :
         {std::size_t{0}, std::size_t{1}, copied_receive_bytes, copied_receive_bytes + 1,
          copied_send_bytes, copied_send_bytes + 1, std::size_t{1} << 20}) {
        const auto bytes = pattern(size);
        const Buffer back = buffer_of(message_of(Buffer::copy_of(bytes)));
        EXPECT_TRUE(equal(back.bytes(), bytes)) << size;
    }
}

TEST(FrameTest, LargeBufferIsSentInPlaceAndKeptUntilTheMessageGoes) {
    auto block = std::make_shared<std::vector<std::byte>>(pattern(copied_send_bytes + 1));
    const std::weak_ptr<std::vector<std::byte>> watch = block;
    const std::byte* address = block->data();
    {
        Buffer buffer(std::shared_ptr<const std::byte>(block, address), block->size());
        block.reset();
        zmq::message_t message = message_of(buffer);
        EXPECT_EQ(message.data(), static_cast<const void*>(address));
        buffer = Buffer();
        EXPECT_FALSE(watch.expired());
    }
    EXPECT_TRUE(watch.expired());
}

TEST(FrameTest, SmallBufferIsCopiedAndLetGo) {
    auto block = std::make_shared<std::vector<std::byte>>(pattern(copied_send_bytes));
    const std::weak_ptr<std::vector<std::byte>> watch = block;
    Buffer buffer(std::shared_ptr<const std::byte>(block, block->data()), block->size());
    block.reset();
    const zmq::message_t message = message_of(buffer);
    buffer = Buffer();
    EXPECT_TRUE(watch.expired());
}

TEST(FrameTest, LargeFrameIsKeptInPlaceByItsSlices) {
    const auto bytes = pattern(copied_receive_bytes + 100);
    zmq::message_t message(bytes.data(), bytes.size());
    const void* address = message.data();
    Buffer whole = buffer_of(std::move(message));
    EXPECT_EQ(whole.data(), address);
    const Buffer part = whole.slice(10, 20);
    whole = Buffer();
    EXPECT_TRUE(equal(part.bytes(), Bytes(bytes).subspan(10, 20)));
}

}  // namespace
}  // namespace farm
