#include <cmath>
#include <exception>

#include <torch/script.h>
#include <torch/version.h>

#include "bench/service/cnn_model.h"

namespace farm::bench {
namespace {

constexpr std::int64_t side = 48;
constexpr std::int64_t kernel = 5;
constexpr std::int64_t channels = 48;
constexpr std::int64_t flat = channels * (side - kernel + 1) * (side - kernel + 1);

constexpr const char* source = R"(
def forward(self, image):
    x = torch.relu(torch.conv2d(image.permute([0, 3, 1, 2]), self.conv_w, self.conv_b))
    x = torch.relu(torch.addmm(self.dense1_b, x.flatten(1), self.dense1_w))
    x = torch.relu(torch.addmm(self.dense2_b, x, self.dense2_w))
    kind = torch.softmax(torch.addmm(self.kind_b, x, self.kind_w), 1)
    michel = torch.sigmoid(torch.addmm(self.michel_b, x, self.michel_w))
    return (kind, michel)
)";

/// Scaled by the fan-in, so that activations stay of order one.
torch::Tensor weights(std::vector<std::int64_t> shape, std::int64_t inputs) {
    return torch::randn(shape) / std::sqrt(static_cast<double>(inputs));
}

}  // namespace

Result<void> write_cnn(const std::filesystem::path& file) {
    try {
        torch::manual_seed(48);
        torch::jit::Module module("EmTrkMichelId");
        const auto add = [&](const std::string& name, torch::Tensor w, std::int64_t outputs) {
            module.register_parameter(name + "_w", std::move(w), false);
            module.register_parameter(name + "_b", torch::zeros({outputs}), false);
        };
        add("conv", weights({channels, 1, kernel, kernel}, kernel * kernel), channels);
        add("dense1", weights({flat, 128}, flat), 128);
        add("dense2", weights({128, 32}, 128), 32);
        add("kind", weights({32, 3}, 32), 3);
        add("michel", weights({32, 1}, 32), 1);
        module.define(source);
        module.eval();
        module.save(file.string());
        return {};
    } catch (const std::exception& error) {
        return fail(ErrorCode::io, "cannot write '" + file.string() + "': " + error.what());
    }
}

std::string libtorch_version() { return std::string("libtorch ") + TORCH_VERSION; }
int libtorch_major_version() { return TORCH_VERSION_MAJOR; }

}  // namespace farm::bench
