// Models that write to their inputs get copies: the bytes are the caller's, or read-only memory.
#include <gtest/gtest.h>
#include <torch/script.h>

#include <cstring>

#include <sys/mman.h>

#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/backends/torch_writes.h"
#include "gpu_worker/repository/repository.h"
#include "tests/unit/gpu_worker/temporary_folder.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;

torch::jit::Module module_of(const std::string& body) {
    torch::jit::Module module("m");
    module.define("def helper(self, x: Tensor):\n    return x.mul_(2)\n");
    module.define("def forward(self, x: Tensor):\n" + body);
    return module;
}

TEST(TorchWritesTest, TellsWhichModelsWriteToTheirInputs) {
    EXPECT_TRUE(writes_to_inputs(module_of("    return x.add_(1)\n")));
    EXPECT_TRUE(writes_to_inputs(module_of("    x[0] = 5\n    return x + 1\n")))
        << "through a view";
    EXPECT_TRUE(writes_to_inputs(module_of("    return self.helper(x)\n"))) << "in a method";
    EXPECT_TRUE(writes_to_inputs(
        module_of("    for i in range(2):\n        x.view(-1).relu_()\n    return x\n")));
    EXPECT_FALSE(writes_to_inputs(module_of("    return x + 1\n")));
    EXPECT_FALSE(writes_to_inputs(module_of("    return x\n")));
    EXPECT_FALSE(writes_to_inputs(module_of("    y = x + 1\n    return y.add_(1)\n")));
    EXPECT_FALSE(writes_to_inputs(module_of("    return x.clone().add_(1)\n")));
}

/// The input as a worker has it from a client of its host.
Tensor in_read_only_memory(const Tensor& tensor) {
    constexpr std::size_t page = 4096;
    void* data = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memcpy(data, tensor.data.data(), tensor.data.size());
    EXPECT_EQ(::mprotect(data, page, PROT_READ), 0);
    std::shared_ptr<const std::byte> owner(static_cast<const std::byte*>(data), [](const auto* p) {
        ::munmap(const_cast<std::byte*>(p), page);
    });
    return {tensor.desc, Buffer(std::move(owner), tensor.data.size())};
}

TEST(TorchWritesTest, SuchAModelRunsOnMemoryThatCannotBeWritten) {
    const testing::TemporaryFolder folder;
    folder.write("m/config.pbtxt", R"(
platform: "pytorch_libtorch"
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ -1 ] } ]
)");
    std::filesystem::create_directories(folder.path() / "m" / "1");
    module_of("    return x.add_(1)\n").save((folder.path() / "m" / "1" / "model.pt").string());
    const auto entries = scan_repository(folder.path());
    ASSERT_TRUE(entries) << entries.error().message;
    const auto* source = std::get_if<ModelSource>(&entries->front());
    ASSERT_NE(source, nullptr) << std::get<LoadFailure>(entries->front()).reason;
    const auto model = load_model(*source, *resolve_device("cpu"));
    ASSERT_TRUE(model) << model.error().message;
    const auto instance = std::move(*(*model)->make_instance());
    const TensorList inputs{in_read_only_memory(floats("x", {3}, {1, 2, 3}))};
    for (int i = 0; i < 2; ++i) {
        const RunResult outputs = instance->run(inputs);
        ASSERT_TRUE(outputs) << outputs.error().detail;
        EXPECT_EQ(values_of(outputs->front()), (std::vector<float>{2, 3, 4}));
    }
}

}  // namespace
}  // namespace farm
