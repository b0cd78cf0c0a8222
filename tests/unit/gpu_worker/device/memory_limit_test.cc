#include "gpu_worker/device/memory_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace farm {
namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30;

TEST(MemoryLimitTest, SharesAndBytes) {
    EXPECT_DOUBLE_EQ(parse_memory_limit("50%", 16 * gib).value(), 0.5);
    EXPECT_DOUBLE_EQ(parse_memory_limit("100%", 16 * gib).value(), 1);
    EXPECT_DOUBLE_EQ(parse_memory_limit("8GiB", 16 * gib).value(), 0.5);
    EXPECT_DOUBLE_EQ(parse_memory_limit("16GiB", 16 * gib).value(), 1);
    EXPECT_DOUBLE_EQ(parse_memory_limit("512MiB", 16 * gib).value(), 1.0 / 32);
    EXPECT_DOUBLE_EQ(parse_memory_limit("4294967296", 16 * gib).value(), 0.25);
}

TEST(MemoryLimitTest, OtherTextsAreRefusedWithTheReason) {
    for (const std::string text : {"", "half", "0%", "101%", "-5%", "GiB", "8GB", "8 GiB", "1.5GiB",
                                   "0", "1048575", "0MiB"}) {
        SCOPED_TRACE(text);
        const auto limit = parse_memory_limit(text, 16 * gib);
        ASSERT_FALSE(limit);
        EXPECT_EQ(limit.error().code, ErrorCode::invalid);
        EXPECT_NE(limit.error().message.find("--device-memory-limit '" + text + "'"),
                  std::string::npos);
    }
}

TEST(MemoryLimitTest, MoreThanTheDeviceHasNamesBoth) {
    for (const std::string text : {"17GiB", "99999999999TiB"}) {
        const auto limit = parse_memory_limit(text, 16 * gib);
        ASSERT_FALSE(limit);
        EXPECT_EQ(limit.error().code, ErrorCode::too_large);
        EXPECT_EQ(limit.error().message,
                  "--device-memory-limit '" + text +
                      "' is more than the device has (17179869184 bytes): give 1% to 100%, or "
                      "bytes as 8GiB or 512MiB");
    }
}

}  // namespace
}  // namespace farm
