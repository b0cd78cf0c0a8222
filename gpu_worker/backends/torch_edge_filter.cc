#include "gpu_worker/backends/torch_edge_filter.h"

#include <torch/script.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "gpu_worker/backends/torch_failure.h"

namespace farm {

namespace {

using tracking::twin::edge_feature_count;
using tracking::twin::EdgeFilterWeights;
using tracking::twin::point_feature_count;
using tracking::twin::Quad;
using tracking::twin::TwinEdgeScorer;

constexpr std::int64_t width = EdgeFilterWeights::width;

/// Of nn.Sequential(Linear, SiLU, Linear, SiLU, Linear, SiLU, Linear), on the processor.
class NamedWeights {
  public:
    explicit NamedWeights(const torch::jit::Module& module) {
        for (const auto& parameter : module.named_parameters()) {
            weights_.emplace(parameter.name, parameter.value.to(at::kFloat).contiguous());
        }
    }

    bool are(const std::map<std::string, std::vector<std::int64_t>>& shapes) const {
        if (shapes.size() != weights_.size()) return false;
        for (const auto& [name, shape] : shapes) {
            const auto found = weights_.find(name);
            if (found == weights_.end() || found->second.sizes() != at::IntArrayRef(shape)) {
                return false;
            }
        }
        return true;
    }

    /// Row k of `to` becomes column first_column + k of the matrix.
    template <std::size_t rows>
    void copy_columns(const std::string& name, std::int64_t first_column,
                      Quad (&to)[rows][EdgeFilterWeights::quads]) const {
        const at::Tensor columns = weights_.at(name).t();
        for (std::size_t k = 0; k < rows; ++k) {
            copy(columns[first_column + static_cast<std::int64_t>(k)], to[k]);
        }
    }
    void copy_row(const std::string& name, Quad (&to)[EdgeFilterWeights::quads]) const {
        copy(weights_.at(name).flatten(), to);
    }
    float number(const std::string& name) const { return weights_.at(name).item<float>(); }

  private:
    static void copy(const at::Tensor& row, Quad (&to)[EdgeFilterWeights::quads]) {
        const at::Tensor dense = row.contiguous();
        const float* numbers = dense.data_ptr<float>();
        for (std::int64_t i = 0; i < width; ++i) to[i / 4].values[i % 4] = numbers[i];
    }

    std::map<std::string, at::Tensor> weights_;
};

std::shared_ptr<const EdgeFilterWeights> weights_in(const torch::jit::Module& module) {
    const NamedWeights given(module);
    if (!given.are({{"network.0.weight", {width, edge_feature_count + 2 * point_feature_count}},
                    {"network.0.bias", {width}},
                    {"network.2.weight", {width, width}},
                    {"network.2.bias", {width}},
                    {"network.4.weight", {width, width}},
                    {"network.4.bias", {width}},
                    {"network.6.weight", {1, width}},
                    {"network.6.bias", {1}}})) {
        return nullptr;
    }
    auto made = std::make_shared<EdgeFilterWeights>();
    given.copy_columns("network.0.weight", 0, made->of_edge);
    given.copy_columns("network.0.weight", edge_feature_count, made->of_inner);
    given.copy_columns("network.0.weight", edge_feature_count + point_feature_count,
                       made->of_outer);
    given.copy_columns("network.2.weight", 0, made->between[0]);
    given.copy_columns("network.4.weight", 0, made->between[1]);
    given.copy_row("network.0.bias", made->biases[0]);
    given.copy_row("network.2.bias", made->biases[1]);
    given.copy_row("network.4.bias", made->biases[2]);
    given.copy_row("network.6.weight", made->last);
    made->last_bias = given.number("network.6.bias");
    return made;
}

/// Space points of tracks all over a detector, a few on each, in the networks' units. Some pairs of
/// them are what the network was trained to keep, most are not.
at::Tensor probe_points(std::int64_t track_count, const c10::Device& device) {
    const auto numbers = at::TensorOptions().dtype(at::kDouble);
    const at::Tensor r = at::tensor({0.03, 0.07, 0.11, 0.17, 0.26, 0.36, 0.5, 0.66}, numbers);
    const at::Tensor track = at::arange(1, track_count + 1, numbers).unsqueeze(1);
    const auto spread = [&](double step, double largest) {  // even, by an additive recurrence
        const at::Tensor place = track * step;
        return largest * (2 * (place - place.floor()) - 1);
    };
    const at::Tensor phi = spread(0.8191725134, 1.0) + spread(0.6710436067, 0.2) * r;
    const at::Tensor z = spread(0.2451223338, 0.1) + at::sinh(spread(0.5497004779, 2.0)) * r;
    return at::stack({r.expand_as(phi), phi - 2 * (phi / 2).round(), z}, 2)
        .view({-1, 3})
        .to(device, at::kFloat)
        .contiguous();
}

Result<at::Tensor> logits_of(TwinEdgeScorer& scorer, const at::Tensor& points,
                             const at::Tensor& pairs) {
    const auto* ends = pairs.data_ptr<std::int32_t>();
    const auto count = static_cast<std::size_t>(pairs.size(1));
    const auto logits =
        scorer.score({points.data_ptr<float>(), static_cast<std::size_t>(points.size(0)), 3},
                     {ends, ends + count, count});
    if (!logits) return tl::unexpected(logits.error());
    auto* values = const_cast<float*>(logits->values);  // NOLINT: libtorch has no view of const
    return at::from_blob(values, {static_cast<std::int64_t>(logits->size)}, points.options())
        .to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
}

Result<bool> compare(TwinEdgeScorer& one, TwinEdgeScorer& other, const TorchStream& stream) {
    constexpr std::int64_t track_count = 12;
    constexpr double tolerance = 1e-3;
    const c10::InferenceMode inference;
    const TorchStream::Use use(stream);
    const c10::Device device = stream.stream().device();
    const at::Tensor points = probe_points(track_count, device);
    const std::int64_t count = points.size(0);
    const at::Tensor pairs = at::triu_indices(count, count, 1).to(device, at::kInt).contiguous();
    const auto expected = logits_of(one, points, pairs);
    if (!expected) return tl::unexpected(expected.error());
    const auto seen = logits_of(other, points, pairs);
    if (!seen) return tl::unexpected(seen.error());
    return expected->sizes() == seen->sizes() &&
           at::allclose(*seen, *expected, tolerance, tolerance);
}

}  // namespace

std::shared_ptr<const EdgeFilterWeights> edge_filter_weights(const std::string& file) {
    try {
        return weights_in(torch::jit::load(file, c10::Device(c10::kCPU)));
    } catch (const std::exception&) {
        return nullptr;  // whoever loads it to run says what is wrong with it
    }
}

Result<bool> scores_alike(TwinEdgeScorer& one, TwinEdgeScorer& other, const TorchStream& stream) {
    try {
        return compare(one, other, stream);
    } catch (...) {
        return fail(ErrorCode::device, caught_failure().detail);
    }
}

}  // namespace farm
