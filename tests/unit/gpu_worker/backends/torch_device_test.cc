// Instances on a CUDA device, each on its stream: what they give is what the CPU gives, whatever
// memory the inputs lie in, and a run out of memory leaves the device usable.
#include <gtest/gtest.h>
#include <torch/script.h>

#include <cstring>
#include <numeric>
#include <thread>

#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/backends/torch_backend.h"
#include "gpu_worker/backends/torch_stream.h"
#include "gpu_worker/device/pinned_memory.h"
#include "gpu_worker/repository/repository.h"
#include "tests/unit/gpu_worker/temporary_folder.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

constexpr std::int64_t count = 1 << 20;

/// Several outputs of several kernels; asks for more memory than there is when told to.
constexpr const char* program = R"(
def forward(self, x: Tensor):
    if bool(x[0] < 0):
        return torch.zeros([1000000000000], device=x.device), x
    y = x
    for i in range(50):
        y = torch.remainder(y * 3 + 1, 1024.0)
    return y, x + 1
)";

constexpr const char* config = R"(
platform: "pytorch_libtorch"
input [ { name: "x__0" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "y__0" data_type: TYPE_FP32 dims: [ -1 ] },
         { name: "z__1" data_type: TYPE_FP32 dims: [ -1 ] } ]
)";

class TorchDeviceTest : public ::testing::Test {
  protected:
    void SetUp() override {
        folder_.write("m/config.pbtxt", config);
        std::filesystem::create_directories(folder_.path() / "m" / "1");
        torch::jit::Module module("m");
        module.define(program);
        module.save((folder_.path() / "m" / "1" / "model.pt").string());
    }

    std::shared_ptr<LoadedModel> load(const std::string& device) const {
        const auto entries = scan_repository(folder_.path());
        const auto model =
            load_model(std::get<ModelSource>(entries->front()), *resolve_device(device));
        EXPECT_TRUE(model) << model.error().message;
        return *model;
    }

    /// Numbers that differ from run to run, in the given memory.
    static TensorList inputs(MutableBuffer block, float first) {
        std::vector<float> values(count);
        std::iota(values.begin(), values.end(), first);
        std::memcpy(block.data(), values.data(), block.size());
        return {{{"x__0", dtype::f32, {count}}, std::move(block).freeze()}};
    }

    static bool equal(const TensorList& a, const TensorList& b) {
        return std::ranges::equal(a, b, [](const Tensor& x, const Tensor& y) {
            return x.desc == y.desc && std::ranges::equal(x.data.bytes(), y.data.bytes());
        });
    }

    testing::TemporaryFolder folder_;
};

TEST_F(TorchDeviceTest, CpuHasNoStreamToWaitFor) {
    const TorchStream stream{c10::Device(c10::kCPU)};
    const TorchStream::Use use(stream);
    stream.wait();
    const auto instance = std::move(*load("cpu")->make_instance());
    EXPECT_TRUE(instance->run(inputs(MutableBuffer(count * sizeof(float)), 3)));
}

TEST_F(TorchDeviceTest, InstancesSideBySideGiveWhatTheCpuGives) {
    if (cuda_device_count() == 0) GTEST_SKIP() << "this machine has no CUDA device";
    const auto pinned = make_cuda_pinned_memory(0, 256 << 20);
    ASSERT_NE(pinned, nullptr);
    const auto on_cpu = load("cpu");
    const auto on_cuda = load("cuda:0");
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t, cpu = std::move(*on_cpu->make_instance()),
                              cuda = std::move(*on_cuda->make_instance())] {
            for (int i = 0; i < 20; ++i) {
                constexpr std::size_t size = count * sizeof(float);
                const TensorList given = inputs(
                    i % 2 == 0 ? pinned->allocate(size) : MutableBuffer(size), float(100 * t + i));
                const RunResult expected = cpu->run(given);
                const RunResult result = cuda->run(given);
                ASSERT_TRUE(expected && result);
                EXPECT_TRUE(equal(*expected, *result)) << "thread " << t << ", run " << i;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(pinned->counts().refused_count, 0U);
    EXPECT_EQ(pinned->counts().in_use_bytes, 0U);
}

TEST_F(TorchDeviceTest, RunOutOfMemoryLeavesTheDeviceUsable) {
    if (cuda_device_count() == 0) GTEST_SKIP() << "this machine has no CUDA device";
    const auto instance = std::move(*load("cuda:0")->make_instance());
    const RunResult failed = instance->run(inputs(MutableBuffer(count * sizeof(float)), -1));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().outcome, Outcome::device_fault);
    EXPECT_NE(failed.error().detail.find("CUDA out of memory"), std::string::npos)
        << failed.error().detail;
    EXPECT_TRUE(instance->run(inputs(MutableBuffer(count * sizeof(float)), 1)));
}

}  // namespace
}  // namespace farm
