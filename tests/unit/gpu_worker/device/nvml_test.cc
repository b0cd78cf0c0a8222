// The library is found when the program runs, and devices by their UUID.
#include "gpu_worker/device/nvml.h"

#include <gtest/gtest.h>

#include "gpu_worker/device/cuda_device.h"

namespace farm {
namespace {

constexpr const char* gpu = "11111111-2222-3333-4444-555555555555";
constexpr const char* slice = "66666666-7777-8888-9999-000000000000";

TEST(NvmlTest, TellsTheUseOfADevice) {
    const auto nvml = Nvml::open(gpu, FAKE_NVML);
    ASSERT_TRUE(nvml) << nvml.error().message;
    EXPECT_EQ(nvml->use(), (DeviceUse{80'000, 20'000, 73}));
}

TEST(NvmlTest, MigSliceTellsItsOwnMemoryAndNoUtilisation) {
    const auto nvml = Nvml::open(slice, FAKE_NVML);
    ASSERT_TRUE(nvml) << nvml.error().message;
    EXPECT_EQ(nvml->use(), (DeviceUse{10'000, 1'000}));
}

TEST(NvmlTest, DeviceThatTheDriverDoesNotKnow) {
    const auto nvml = Nvml::open("00000000-0000-0000-0000-000000000000", FAKE_NVML);
    ASSERT_FALSE(nvml);
    EXPECT_EQ(nvml.error().code, ErrorCode::unavailable);
}

TEST(NvmlTest, MachineWithoutTheLibrary) {
    const auto nvml = Nvml::open(gpu, "libno-such-library.so.1");
    ASSERT_FALSE(nvml);
    EXPECT_EQ(nvml.error().message, "NVML is not there: libno-such-library.so.1");
}

TEST(NvmlTest, LibraryThatIsAnother) {
    const auto nvml = Nvml::open(gpu, "libc.so.6");
    ASSERT_FALSE(nvml);
    EXPECT_EQ(nvml.error().message, "NVML does not start: libc.so.6");
}

TEST(NvmlDeviceTest, KnowsTheDeviceThatCudaNames) {
    const auto device = describe_cuda_device(0);
    if (!device) GTEST_SKIP() << "this machine or build has no CUDA device";
    const auto nvml = Nvml::open(device->uuid);
    ASSERT_TRUE(nvml) << nvml.error().message;
    const auto use = nvml->use();
    ASSERT_TRUE(use);
    EXPECT_GE(use->memory_bytes, device->memory_bytes);
}

}  // namespace
}  // namespace farm
