#include "gpu_worker/backends/device.h"

#include <gtest/gtest.h>

#include <string>

#include "gpu_worker/backends/torch_backend.h"

namespace farm {
namespace {

TEST(DeviceTest, UnknownNamesAreRefused) {
    for (const std::string text : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0"}) {
        const auto device = resolve_device(text);
        ASSERT_FALSE(device) << text;
        EXPECT_EQ(device.error().code, ErrorCode::invalid) << text;
    }
}

TEST(DeviceTest, DeviceThatIsNotThereNamesThoseThatAre) {
    const std::string name = "cuda:" + std::to_string(cuda_device_count());
    const auto device = resolve_device(name);
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().code, ErrorCode::unavailable);
    EXPECT_NE(device.error().message.find(name), std::string::npos);
}

TEST(DeviceTest, MemoryOfACpuIsNotLimitedByAFlag) {
    const auto limited = limit_device_memory(*resolve_device("cpu"), "50%");
    ASSERT_FALSE(limited);
    EXPECT_EQ(limited.error().message,
              "--device-memory-limit '50%' is for CUDA devices (this worker runs on cpu): leave it "
              "out");
}

TEST(DeviceTest, MemoryOfACudaDeviceIsLimited) {
    if (cuda_device_count() == 0) GTEST_SKIP() << "this machine has no CUDA device";
    const auto device = resolve_device("cuda:0");
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_NE(device->name, "cuda:0");
    EXPECT_TRUE(limit_device_memory(*device, "100%"));
    EXPECT_FALSE(limit_device_memory(*device, "1000TiB"));
}

}  // namespace
}  // namespace farm
