// A replayed graph gives what the plain model gives, and what cannot be captured still runs.
#include "gpu_worker/backends/torch_cuda_graphs.h"

#include <gtest/gtest.h>

#include "gpu_worker/backends/torch_backend.h"

namespace farm {
namespace {

constexpr const char* plain = R"(
def forward(self, x: Tensor, w: Tensor):
    return torch.relu(torch.matmul(x, w)) + x.sum(1, keepdim=True)
)";

/// Its result's size depends on values: a capture fails.
constexpr const char* by_value = R"(
def forward(self, x: Tensor, w: Tensor):
    return torch.matmul(x[x[:, 0] > 0], w)
)";

class CudaGraphsTest : public testing::Test {
  protected:
    void SetUp() override {
        if (cuda_device_count() == 0) GTEST_SKIP() << "this machine has no CUDA device";
    }

    /// Runs made by graphs and without them, over shapes that come back, and come once.
    static void compare(const char* program) {
        const c10::InferenceMode guard;
        torch::jit::Module module("m");
        module.define(program);
        torch::jit::Method forward = module.get_method("forward");
        const c10::Device device(c10::kCUDA, 0);
        const auto graphs = make_cuda_graphs(device);
        ASSERT_NE(graphs, nullptr);
        const at::Tensor w = at::randn({8, 5}, device);
        for (const std::int64_t rows : {3, 3, 7, 3, 3, 7, 7, 1, 7, 3, 3}) {
            const at::Tensor x = at::randn({rows, 8}, device);
            const at::Tensor expected = forward({x, w}).toTensor();
            const at::Tensor result = graphs->run(forward, {x, w}).toTensor();
            EXPECT_TRUE(at::equal(result.to(at::kCPU), expected.to(at::kCPU))) << rows << " rows";
        }
    }
};

TEST_F(CudaGraphsTest, GiveWhatTheModelGives) { compare(plain); }

TEST_F(CudaGraphsTest, AModelThatLooksAtValuesRunsAsItIs) { compare(by_value); }

TEST_F(CudaGraphsTest, MoreShapesThanAreKept) {
    const c10::InferenceMode guard;
    torch::jit::Module module("m");
    module.define(plain);
    torch::jit::Method forward = module.get_method("forward");
    const c10::Device device(c10::kCUDA, 0);
    const auto graphs = make_cuda_graphs(device);
    const at::Tensor w = at::randn({8, 5}, device);
    for (int round = 0; round < 4; ++round) {
        for (std::int64_t rows = 1; rows <= 20; ++rows) {
            for (int again = 0; again < 3; ++again) {
                const at::Tensor x = at::randn({rows, 8}, device);
                EXPECT_TRUE(at::equal(graphs->run(forward, {x, w}).toTensor().to(at::kCPU),
                                      forward({x, w}).toTensor().to(at::kCPU)));
            }
        }
    }
}

TEST(CudaGraphsOnCpuTest, ThereAreNone) {
    EXPECT_EQ(make_cuda_graphs(c10::Device(c10::kCPU)), nullptr);
}

}  // namespace
}  // namespace farm
