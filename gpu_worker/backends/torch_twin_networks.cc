#include "gpu_worker/backends/torch_twin_networks.h"

#include <c10/core/StreamGuard.h>
#include <torch/script.h>

#include <utility>
#include <vector>

#include "gpu_worker/backends/torch_failure.h"

namespace farm {

namespace {

using tracking::twin::EdgeList;
using tracking::twin::NetworkOutput;
using tracking::twin::PointRows;

std::int64_t length(std::size_t count) { return static_cast<std::int64_t>(count); }

/// Views memory of the device.
template <class Number>
at::Tensor view_of(const Number* numbers, at::IntArrayRef shape, at::ScalarType type,
                   const c10::Device& device) {
    auto* data = const_cast<Number*>(numbers);  // NOLINT: libtorch has no view of const
    return at::from_blob(data, shape, at::TensorOptions().dtype(type).device(device));
}

Result<NetworkOutput> output_of(const c10::IValue& result) {
    if (!result.isTensor() || result.toTensor().dim() < 1 || result.toTensor().dim() > 2) {
        return fail(ErrorCode::internal,
                    "a network gave no tensor of one or two dimensions: give a row for each point "
                    "or a score for each edge");
    }
    const auto rows =
        std::make_shared<const at::Tensor>(result.toTensor().to(at::kFloat).contiguous());
    const std::int64_t width = rows->dim() == 2 ? rows->size(1) : 1;
    return NetworkOutput{rows, rows->data_ptr<float>(), static_cast<std::size_t>(rows->size(0)),
                         static_cast<std::size_t>(width)};
}

/// One network on one stream, for one thread.
class TwinNetwork {
  public:
    TwinNetwork(std::shared_ptr<const TorchProgram> program, const TorchStream& stream)
        : program_(std::move(program)),
          forward_(program_->module.get_method("forward")),
          stream_(stream) {}

    /// Of the arguments that `make` gives, when it is called where libtorch may be.
    template <class Make>
    Result<NetworkOutput> run(const Make& make) {
        try {
            use_threads(program_->thread_count);
            const c10::InferenceMode inference;
            const c10::StreamGuard on_stream(stream_.stream());
            return output_of(forward_(make()));
        } catch (...) {
            return tl::unexpected(error_of(caught_failure()));
        }
    }

    at::Tensor points_of(const PointRows& points) const {
        const at::Tensor rows =
            view_of(points.values, {length(points.size), length(points.dimension_count)},
                    at::kFloat, program_->device);
        const at::Tensor taken = program_->precision ? rows.to(*program_->precision) : rows;
        return program_->writes_to_inputs && taken.is_same(rows) ? rows.clone() : taken;
    }

    /// int64 [2, e], which is what index_select takes.
    at::Tensor edges_of(const EdgeList& edges) const {
        const std::int64_t count = length(edges.size);
        const at::Tensor both =
            at::empty({2, count}, at::TensorOptions().dtype(at::kLong).device(program_->device));
        both[0].copy_(view_of(edges.source, {count}, at::kInt, program_->device));
        both[1].copy_(view_of(edges.target, {count}, at::kInt, program_->device));
        return both;
    }

  private:
    std::shared_ptr<const TorchProgram> program_;
    torch::jit::Method forward_;
    TorchStream stream_;
};

class TorchTwinEmbedder final : public tracking::twin::TwinEmbedder {
  public:
    explicit TorchTwinEmbedder(TwinNetwork network) : network_(std::move(network)) {}

    Result<NetworkOutput> embed(const PointRows& features) override {
        return network_.run([&] { return std::vector<c10::IValue>{network_.points_of(features)}; });
    }

  private:
    TwinNetwork network_;
};

class TorchTwinScorer final : public tracking::twin::TwinEdgeScorer {
  public:
    TorchTwinScorer(TwinNetwork network, EdgeNetworkInput input)
        : network_(std::move(network)), input_(input) {}

    Result<NetworkOutput> score(const PointRows& features, const EdgeList& edges) override {
        auto scores = network_.run([&] { return arguments_of(features, edges); });
        if (scores && scores->dimension_count != 1) {
            return fail(ErrorCode::internal, "a network gave " +
                                                 std::to_string(scores->dimension_count) +
                                                 " scores for each edge (one is taken)");
        }
        return scores;
    }

  private:
    std::vector<c10::IValue> arguments_of(const PointRows& features, const EdgeList& edges) const {
        const at::Tensor points = network_.points_of(features);
        const at::Tensor both = network_.edges_of(edges);
        if (input_ == EdgeNetworkInput::graph) return {points, both};
        return {at::cat({points.index_select(0, both[0]), points.index_select(0, both[1])}, 1)};
    }

    TwinNetwork network_;
    EdgeNetworkInput input_;
};

}  // namespace

tracking::twin::TwinNetworks make_twin_networks(const TwinPrograms& programs,
                                                EdgeNetworkInput filter_input,
                                                const TorchStream& stream) {
    tracking::twin::TwinNetworks networks;
    networks.embedder =
        std::make_unique<TorchTwinEmbedder>(TwinNetwork(programs.embedding, stream));
    networks.classifier = std::make_unique<TorchTwinScorer>(
        TwinNetwork(programs.classifier, stream), EdgeNetworkInput::graph);
    if (programs.filter != nullptr) {
        networks.filter =
            std::make_unique<TorchTwinScorer>(TwinNetwork(programs.filter, stream), filter_input);
    }
    return networks;
}

}  // namespace farm
