#include "gpu_worker/backends/torch_known_networks.h"

#include <ATen/Context.h>
#include <torch/script.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "gpu_worker/backends/torch_failure.h"

namespace farm {

namespace {

using tracking::twin::edge_feature_count;
using tracking::twin::EdgeClassifierWeights;
using tracking::twin::EdgeFilterWeights;
using tracking::twin::EdgeList;
using tracking::twin::EmbeddingWeights;
using tracking::twin::NetworkOutput;
using tracking::twin::point_feature_count;
using tracking::twin::PointRows;
using tracking::twin::Quad;
using tracking::twin::TwinEdgeScorer;
using tracking::twin::TwinEmbedder;

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// A Linear of PyTorch.
void expect_linear(Shapes& shapes, const std::string& name, std::int64_t inputs,
                   std::int64_t outputs) {
    shapes[name + ".weight"] = {outputs, inputs};
    shapes[name + ".bias"] = {outputs};
}
void expect_norm(Shapes& shapes, const std::string& name, std::int64_t width) {
    shapes[name + ".weight"] = {width};
    shapes[name + ".bias"] = {width};
}

/// On the processor.
class NamedWeights {
  public:
    explicit NamedWeights(const torch::jit::Module& module) {
        for (const auto& parameter : module.named_parameters()) add(parameter);
        for (const auto& buffer : module.named_buffers()) add(buffer);
    }

    bool are(const Shapes& shapes) const {
        if (shapes.size() != weights_.size()) return false;
        for (const auto& [name, shape] : shapes) {
            const auto found = weights_.find(name);
            if (found == weights_.end() || found->second.sizes() != at::IntArrayRef(shape)) {
                return false;
            }
        }
        return true;
    }

    /// Row k of `to` becomes column first_column + k of the weight.
    template <std::size_t rows, std::size_t quads>
    void copy_columns(const std::string& name, std::int64_t first_column,
                      Quad (&to)[rows][quads]) const {
        const at::Tensor columns = weights_.at(name + ".weight").t();
        for (std::size_t k = 0; k < rows; ++k) {
            copy(columns[first_column + static_cast<std::int64_t>(k)], to[k]);
        }
    }
    template <std::size_t rows, std::size_t quads>
    void copy_linear(const std::string& name, Quad (&to)[rows][quads], Quad (&bias)[quads]) const {
        copy_columns(name, 0, to);
        copy_row(name + ".bias", bias);
    }
    template <std::size_t quads>
    void copy_row(const std::string& name, Quad (&to)[quads]) const {
        copy(weights_.at(name).flatten(), to);
    }
    float number(const std::string& name) const { return weights_.at(name).item<float>(); }

    std::span<const float> numbers(const std::string& name) const {
        const at::Tensor& given = weights_.at(name);
        return {given.data_ptr<float>(), static_cast<std::size_t>(given.numel())};
    }

  private:
    void add(const torch::jit::NameTensor& given) {
        weights_.emplace(given.name, given.value.to(at::kFloat).contiguous());
    }

    /// What is behind the row becomes 0.
    template <std::size_t quads>
    static void copy(const at::Tensor& row, Quad (&to)[quads]) {
        const at::Tensor dense = row.contiguous();
        const float* numbers = dense.data_ptr<float>();
        const auto count = static_cast<std::size_t>(dense.numel());
        for (std::size_t i = 0; i < 4 * quads; ++i) {
            to[i / 4].values[i % 4] = i < count ? numbers[i] : 0;
        }
    }

    std::map<std::string, at::Tensor> weights_;
};

std::shared_ptr<const EdgeFilterWeights> filter_weights(const NamedWeights& given) {
    constexpr std::int64_t width = EdgeFilterWeights::width;
    Shapes shapes;
    expect_linear(shapes, "network.0", edge_feature_count + 2 * point_feature_count, width);
    expect_linear(shapes, "network.2", width, width);
    expect_linear(shapes, "network.4", width, width);
    expect_linear(shapes, "network.6", width, 1);
    if (!given.are(shapes)) return nullptr;
    auto made = std::make_shared<EdgeFilterWeights>();
    given.copy_columns("network.0", 0, made->of_edge);
    given.copy_columns("network.0", edge_feature_count, made->of_inner);
    given.copy_columns("network.0", edge_feature_count + point_feature_count, made->of_outer);
    given.copy_row("network.0.bias", made->biases[0]);
    given.copy_linear("network.2", made->between[0], made->biases[1]);
    given.copy_linear("network.4", made->between[1], made->biases[2]);
    given.copy_row("network.6.weight", made->last);
    made->last_bias = given.number("network.6.bias");
    return made;
}

std::shared_ptr<const EmbeddingWeights> embedding_weights_in(const NamedWeights& given) {
    constexpr std::int64_t width = EmbeddingWeights::width;
    Shapes shapes{{"harmonics", {EmbeddingWeights::circle_count}},
                  {"octaves", {EmbeddingWeights::octave_count}}};
    expect_linear(shapes, "network.0", EmbeddingWeights::feature_count, width);
    expect_linear(shapes, "network.2", width, width);
    expect_linear(shapes, "network.4", width, width);
    expect_linear(shapes, "network.6", width, EmbeddingWeights::output_count);
    if (!given.are(shapes)) return nullptr;
    const auto octaves = given.numbers("octaves");
    for (std::size_t k = 0; k < octaves.size(); ++k) {
        if (octaves[k] != static_cast<float>(1 << k)) return nullptr;
    }
    auto made = std::make_shared<EmbeddingWeights>();
    given.copy_linear("network.0", made->of_features, made->biases[0]);
    given.copy_linear("network.2", made->between[0], made->biases[1]);
    given.copy_linear("network.4", made->between[1], made->biases[2]);
    given.copy_linear("network.6", made->last, made->last_bias);
    std::ranges::copy(given.numbers("harmonics"), made->harmonics);
    return made;
}

Shapes classifier_shapes() {
    constexpr std::int64_t width = EdgeClassifierWeights::width;
    Shapes shapes;
    expect_linear(shapes, "of_points.0", point_feature_count, width);
    expect_linear(shapes, "of_points.2", width, width);
    expect_linear(shapes, "of_edges.0", edge_feature_count, width);
    expect_linear(shapes, "of_edges.2", width, width);
    for (int i = 0; i < EdgeClassifierWeights::interaction_count; ++i) {
        const std::string at = "interactions." + std::to_string(i) + ".";
        expect_linear(shapes, at + "of_edge", width, width);
        shapes[at + "of_first.weight"] = {width, width};
        shapes[at + "of_second.weight"] = {width, width};
        expect_norm(shapes, at + "edge_norm", width);
        expect_linear(shapes, at + "edge_out", width, width);
        expect_linear(shapes, at + "belief", width, 1);
        expect_linear(shapes, at + "message", width, width);
        expect_linear(shapes, at + "of_point.0", 3 * width, width);
        expect_norm(shapes, at + "of_point.1", width);
        expect_linear(shapes, at + "of_point.3", width, width);
    }
    expect_linear(shapes, "score.0", width, width);
    expect_linear(shapes, "score.2", width, 1);
    return shapes;
}

std::shared_ptr<const EdgeClassifierWeights> classifier_weights(const NamedWeights& given) {
    if (!given.are(classifier_shapes())) return nullptr;
    auto made = std::make_shared<EdgeClassifierWeights>();
    given.copy_linear("of_points.0", made->point_in, made->point_in_bias);
    given.copy_linear("of_points.2", made->point_start, made->point_start_bias);
    given.copy_linear("of_edges.0", made->edge_in, made->edge_in_bias);
    given.copy_linear("of_edges.2", made->edge_start, made->edge_start_bias);
    for (int i = 0; i < EdgeClassifierWeights::interaction_count; ++i) {
        const std::string at = "interactions." + std::to_string(i) + ".";
        EdgeClassifierWeights::Interaction& to = made->interactions[i];
        given.copy_linear(at + "of_edge", to.of_edge, to.of_edge_bias);
        given.copy_columns(at + "of_first", 0, to.of_first);
        given.copy_columns(at + "of_second", 0, to.of_second);
        given.copy_row(at + "edge_norm.weight", to.edge_scale);
        given.copy_row(at + "edge_norm.bias", to.edge_shift);
        given.copy_linear(at + "edge_out", to.edge_out, to.edge_out_bias);
        given.copy_row(at + "belief.weight", to.belief);
        to.belief_bias = given.number(at + "belief.bias");
        given.copy_linear(at + "message", to.message, to.message_bias);
        given.copy_linear(at + "of_point.0", to.of_point, to.of_point_bias);
        given.copy_row(at + "of_point.1.weight", to.point_scale);
        given.copy_row(at + "of_point.1.bias", to.point_shift);
        given.copy_linear(at + "of_point.3", to.point_out, to.point_out_bias);
    }
    given.copy_linear("score.0", made->score, made->score_bias);
    given.copy_row("score.2.weight", made->last);
    made->last_bias = given.number("score.2.bias");
    return made;
}

/// Null for a file that is none, too: whoever loads it to run says what is wrong with it.
template <class Weights>
std::shared_ptr<const Weights> weights_of_file(
    const std::string& file, std::shared_ptr<const Weights> (*read)(const NamedWeights&)) {
    try {
        return read(NamedWeights(torch::jit::load(file, c10::Device(c10::kCPU))));
    } catch (const std::exception&) {
        return nullptr;
    }
}

/// Space points of tracks all over a detector, a few on each, some of them near one another or the
/// beam, in the networks' units. Some pairs of
/// them are what the network was trained to keep, most are not.
at::Tensor probe_points(std::int64_t track_count, const c10::Device& device) {
    const auto numbers = at::TensorOptions().dtype(at::kDouble);
    const at::Tensor r = at::tensor(
        {5e-4, 5e-3, 0.02, 0.03, 0.03005, 0.0308, 0.07, 0.11, 0.17, 0.26, 0.36, 0.5, 0.66},
        numbers);
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

/// Where both networks can be asked.
struct Probe {
    at::Tensor points;
    at::Tensor pairs;  ///< of points, int32 [2, all]

    explicit Probe(const c10::Device& device) : points(probe_points(10, device)) {
        const std::int64_t count = points.size(0);
        pairs = at::triu_indices(count, count, 1).to(device, at::kInt).contiguous();
    }

    PointRows rows() const {
        return {points.data_ptr<float>(), static_cast<std::size_t>(points.size(0)), 3};
    }
    EdgeList edges() const {
        const auto* ends = pairs.data_ptr<std::int32_t>();
        const auto count = static_cast<std::size_t>(pairs.size(1));
        return {ends, ends + count, count};
    }

    Result<NetworkOutput> ask(TwinEmbedder& network) const { return network.embed(rows()); }
    Result<NetworkOutput> ask(TwinEdgeScorer& network) const {
        return network.score(rows(), edges());
    }
    at::Tensor on_host(const NetworkOutput& output) const {
        auto* values = const_cast<float*>(output.values);  // NOLINT: libtorch has no view of const
        const auto rows = static_cast<std::int64_t>(output.size);
        const auto columns = static_cast<std::int64_t>(output.dimension_count);
        return at::from_blob(values, {rows, columns}, points.options())
            .to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
    }
};

template <class Network>
Result<bool> compare(Network& one, Network& other, const TorchStream& stream) {
    constexpr double tolerance = 1e-4;  // twenty times what the order of sums makes
    const c10::InferenceMode inference;
    const TorchStream::Use use(stream);
    const Probe probe(stream.stream().device());
    const auto expected = probe.ask(one);
    if (!expected) return tl::unexpected(expected.error());
    const auto seen = probe.ask(other);
    if (!seen) return tl::unexpected(seen.error());
    const at::Tensor a = probe.on_host(*expected);
    const at::Tensor b = probe.on_host(*seen);
    return a.sizes() == b.sizes() && at::allclose(b, a, tolerance, tolerance);
}

/// Products in all digits of float32, as the kernels have them, though the process may be told to
/// do with those of TF32 (TORCH_ALLOW_TF32_CUBLAS_OVERRIDE, which some images of libtorch set; 1.13
/// does not let itself be told otherwise then). Of the whole process: what runs meanwhile does so,
/// too.
class AllDigits {
  public:
    AllDigits() { at::globalContext().setAllowTF32CuBLAS(false); }
    ~AllDigits() { at::globalContext().setAllowTF32CuBLAS(was_tf32_allowed_); }
    AllDigits(const AllDigits&) = delete;
    AllDigits& operator=(const AllDigits&) = delete;

  private:
    const bool was_tf32_allowed_{at::globalContext().allowTF32CuBLAS()};
};

/// libtorch's exceptions end here.
template <class Network>
Result<bool> compare_safely(Network& one, Network& other, const TorchStream& stream) {
    try {
        const AllDigits all_digits;
        return compare(one, other, stream);
    } catch (...) {
        return fail(ErrorCode::device, caught_failure().detail);
    }
}

}  // namespace

std::shared_ptr<const EmbeddingWeights> embedding_weights(const std::string& file) {
    return weights_of_file(file, embedding_weights_in);
}

std::shared_ptr<const EdgeFilterWeights> edge_filter_weights(const std::string& file) {
    return weights_of_file(file, filter_weights);
}

std::shared_ptr<const EdgeClassifierWeights> edge_classifier_weights(const std::string& file) {
    return weights_of_file(file, classifier_weights);
}

Result<bool> gives_the_same(TwinEmbedder& one, TwinEmbedder& other, const TorchStream& stream) {
    return compare_safely(one, other, stream);
}

Result<bool> gives_the_same(TwinEdgeScorer& one, TwinEdgeScorer& other, const TorchStream& stream) {
    return compare_safely(one, other, stream);
}

}  // namespace farm
