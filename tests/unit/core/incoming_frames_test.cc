#include "common/core/incoming_frames.h"

#include <gtest/gtest.h>

#include <new>

namespace farm {
namespace {

Buffer filled(std::size_t size, int value) {
    return Buffer::copy_of(std::vector<std::byte>(size, std::byte(value)));
}

TEST(IncomingFramesTest, ChunksArePutTogether) {
    IncomingFrames frames({{0, 5}, {2, 3}});
    frames.store(0, 0, filled(2, 1));
    frames.store(0, 2, filled(3, 2));
    frames.store(1, 0, filled(1, 3));
    frames.store(1, 1, filled(2, 4));
    const std::vector<Buffer> buffers = *std::move(frames).take();
    ASSERT_EQ(buffers.size(), 2U);
    const std::vector<std::byte> first(buffers[0].bytes().begin(), buffers[0].bytes().end());
    EXPECT_EQ(first, (std::vector<std::byte>{std::byte{1}, std::byte{1}, std::byte{2}, std::byte{2},
                                             std::byte{2}}));
    EXPECT_EQ(buffers[1].size(), 3U);
    EXPECT_EQ(buffers[1].data()[2], std::byte{4});
}

TEST(IncomingFramesTest, AChunkThatIsAWholeTensorStaysWhereItLies) {
    IncomingFrames frames({{0, 5}});
    const Buffer chunk = filled(5, 1);
    const std::byte* where = chunk.data();
    frames.store(0, 0, chunk);
    EXPECT_EQ(std::move(frames).take()->front().data(), where);
}

TEST(IncomingFramesTest, NoMemoryIsTakenForWholeTensors) {
    IncomingFrames frames({{0, 5}}, [](std::size_t) -> MutableBuffer { throw std::bad_alloc(); });
    frames.store(0, 0, filled(5, 1));
    EXPECT_EQ(std::move(frames).take()->front().size(), 5U);
}

TEST(IncomingFramesTest, WithoutTheMemoryLaterChunksAreForgottenToo) {
    IncomingFrames frames({{0, 5}, {1, 3}},
                          [](std::size_t) -> MutableBuffer { throw std::bad_alloc(); });
    frames.store(0, 0, filled(2, 1));
    frames.store(0, 2, filled(3, 1));
    frames.store(1, 0, filled(3, 1));
    const auto buffers = std::move(frames).take();
    ASSERT_FALSE(buffers.has_value());
    EXPECT_EQ(buffers.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace farm
