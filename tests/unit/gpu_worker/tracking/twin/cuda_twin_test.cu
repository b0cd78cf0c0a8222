// The twins on a CUDA device.
#include <memory>
#include <string>

#include "gpu_worker/tracking/twin/cuda_execution.cuh"
#include "tests/unit/gpu_worker/tracking/twin/twin_cases.h"

namespace farm::tracking::twin::testing {

static_assert(twin::Execution<CudaExecution>);

struct Cuda {
    using Execution = CudaExecution;
    static constexpr std::size_t large = 1'000'000;

    static std::string why_not() {
        int count = 0;
        if (cudaGetDeviceCount(&count) == cudaSuccess && count > 0) return {};
        static_cast<void>(cudaGetLastError());
        return "this machine has no CUDA device";
    }
    static std::unique_ptr<CudaExecution> make() {
        return std::make_unique<CudaExecution>(cudaStreamPerThread);
    }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, TwinTest, Cuda);

TEST(CudaExecutionTest, MoreMemoryThanThereIsIsAFailureAndTheDeviceGoesOn) {
    if (const std::string reason = Cuda::why_not(); !reason.empty()) GTEST_SKIP() << reason;
    const auto run = Cuda::make();
    EXPECT_THROW(run->array<std::byte>(std::size_t{1} << 42), DeviceFailure);
    auto numbers = run->array<Index>(1000);
    run->zero(numbers);
    EXPECT_EQ(read_number(*run, numbers, 999), 0);
}

}  // namespace farm::tracking::twin::testing
