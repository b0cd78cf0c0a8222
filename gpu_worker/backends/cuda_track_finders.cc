#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/script.h>

#include <optional>
#include <utility>

#include "gpu_worker/backends/run_failure.h"
#include "gpu_worker/backends/torch_program.h"
#include "gpu_worker/backends/track_finders.h"
#include "gpu_worker/backends/track_networks.h"
#include "gpu_worker/tracking/twin/cuda_track_finder.h"

namespace farm {

namespace {

using tracking::twin::EdgeList;
using tracking::twin::NetworkOutput;
using tracking::twin::PointRows;

/// A filter's rows of this many edges take half a gigabyte, and launches no longer cost anything.
constexpr std::size_t filter_chunk = 524'288;

/// Views memory of the device.
template <class Number>
at::Tensor view_of(const Number* numbers, at::IntArrayRef shape, at::ScalarType type,
                   const c10::Device& device) {
    auto* data = const_cast<Number*>(numbers);  // NOLINT: libtorch has no view of const
    return at::from_blob(data, shape, at::TensorOptions().dtype(type).device(device));
}

/// One network on one stream, for one thread.
class TwinNetwork {
  public:
    TwinNetwork(std::shared_ptr<const TorchProgram> program, const c10::cuda::CUDAStream& stream)
        : program_(std::move(program)),
          forward_(program_->module.get_method("forward")),
          stream_(stream) {}

    at::Tensor points_of(const PointRows& points) const {
        const at::Tensor rows = view_of(points.values,
                                        {static_cast<std::int64_t>(points.size),
                                         static_cast<std::int64_t>(points.dimension_count)},
                                        at::kFloat, program_->device);
        return program_->precision ? rows.to(*program_->precision) : rows;
    }

    /// int64 [2, e], which is what index_select takes.
    at::Tensor edges_of(const EdgeList& edges) const {
        const auto count = static_cast<std::int64_t>(edges.size);
        const at::Tensor both =
            at::empty({2, count}, at::TensorOptions().dtype(at::kLong).device(program_->device));
        both[0].copy_(view_of(edges.source, {count}, at::kInt, program_->device));
        both[1].copy_(view_of(edges.target, {count}, at::kInt, program_->device));
        return both;
    }

    /// Runs `call`, which gives what forward() gave, and turns what it throws into an error.
    template <class Call>
    Result<NetworkOutput> run(const Call& call) {
        try {
            const c10::InferenceMode inference;
            const c10::cuda::CUDAStreamGuard on_stream(stream_);
            return output_of(call());
        } catch (const c10::Error& error) {
            return tl::unexpected(error_of(failure_of(error.what_without_backtrace())));
        } catch (const std::exception& error) {
            return tl::unexpected(error_of(failure_of(error.what())));
        }
    }

    c10::IValue forward(std::vector<c10::IValue> arguments) {
        return forward_(std::move(arguments));
    }

  private:
    static Result<NetworkOutput> output_of(const c10::IValue& result) {
        if (!result.isTensor() || result.toTensor().dim() < 1 || result.toTensor().dim() > 2) {
            return fail(ErrorCode::internal,
                        "a network gave no tensor of one or two dimensions: give a row for each "
                        "point or a score for each edge");
        }
        const auto rows =
            std::make_shared<const at::Tensor>(result.toTensor().to(at::kFloat).contiguous());
        const std::int64_t width = rows->dim() == 2 ? rows->size(1) : 1;
        return NetworkOutput{rows, rows->const_data_ptr<float>(),
                             static_cast<std::size_t>(rows->size(0)),
                             static_cast<std::size_t>(width)};
    }

    std::shared_ptr<const TorchProgram> program_;
    torch::jit::Method forward_;
    c10::cuda::CUDAStream stream_;
};

class TorchEmbedder final : public tracking::twin::TwinEmbedder {
  public:
    explicit TorchEmbedder(TwinNetwork network) : network_(std::move(network)) {}

    Result<NetworkOutput> embed(const PointRows& features) override {
        return network_.run([&] { return network_.forward({network_.points_of(features)}); });
    }

  private:
    TwinNetwork network_;
};

class TorchEdgeScorer final : public tracking::twin::TwinEdgeScorer {
  public:
    TorchEdgeScorer(TwinNetwork network, EdgeNetworkInput input)
        : network_(std::move(network)), input_(input) {}

    Result<NetworkOutput> score(const PointRows& features, const EdgeList& edges) override {
        auto scores = network_.run([&] {
            const at::Tensor points = network_.points_of(features);
            const at::Tensor both = network_.edges_of(edges);
            if (input_ == EdgeNetworkInput::graph) return network_.forward({points, both});
            return network_.forward(
                {at::cat({points.index_select(0, both[0]), points.index_select(0, both[1])}, 1)});
        });
        if (scores && scores->dimension_count != 1) {
            return fail(ErrorCode::internal, "a network gave " +
                                                 std::to_string(scores->dimension_count) +
                                                 " scores for each edge (one is taken)");
        }
        return scores;
    }

  private:
    TwinNetwork network_;
    EdgeNetworkInput input_;
};

using Program = std::shared_ptr<const TorchProgram>;  ///< null for a stage that needs none

Result<Program> load(const ModelSource& service, const std::string& file, const Device& device) {
    if (file.empty()) return Program();
    ModelSource source = network_source(service, file);
    auto program = load_torch_program(source, device);
    if (!program) return tl::unexpected(error_of_file(file, program.error()));
    return std::make_shared<const TorchProgram>(std::move(*program));
}

class CudaTrackFinders final : public TrackFinders {
  public:
    CudaTrackFinders(TracksSettings settings, Device device, Program embedding, Program filter,
                     Program classifier)
        : settings_(std::move(settings)),
          device_(std::move(device)),
          embedding_(std::move(embedding)),
          filter_(std::move(filter)),
          classifier_(std::move(classifier)) {}

    /// Each finder has a stream of libtorch's pool, so that events overlap on the device.
    Result<std::unique_ptr<tracking::TrackFinder>> make() override {
        try {
            const auto index = static_cast<c10::DeviceIndex>(device_.index);
            const auto stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, index);
            tracking::twin::TwinNetworks networks;
            networks.embedder = std::make_unique<TorchEmbedder>(TwinNetwork(embedding_, stream));
            networks.classifier = std::make_unique<TorchEdgeScorer>(
                TwinNetwork(classifier_, stream), EdgeNetworkInput::graph);
            if (filter_ != nullptr) {
                networks.filter = std::make_unique<TorchEdgeScorer>(TwinNetwork(filter_, stream),
                                                                    settings_.filter_input);
            }
            return make_cuda_track_finder(settings_.finder, std::move(networks),
                                          {device_.index, stream.stream()});
        } catch (const std::exception& error) {
            return fail(ErrorCode::device, failure_of(error.what()).detail);
        }
    }

  private:
    TracksSettings settings_;
    Device device_;
    Program embedding_;
    Program filter_;
    Program classifier_;
};

}  // namespace

Result<std::unique_ptr<TrackFinders>> load_cuda_track_finders(const ModelSource& source,
                                                              const TracksSettings& settings,
                                                              const Device& device) {
    TracksSettings on_device = settings;
    if (!source.parameters.contains("farm.tracks.filter_chunk")) {
        on_device.finder.filter.chunk_edge_count = filter_chunk;
    }
    auto embedding = load(source, settings.embedding_file, device);
    if (!embedding) return tl::unexpected(embedding.error());
    auto filter = load(source, settings.filter_file, device);
    if (!filter) return tl::unexpected(filter.error());
    auto classifier = load(source, settings.classifier_file, device);
    if (!classifier) return tl::unexpected(classifier.error());
    return std::make_unique<CudaTrackFinders>(std::move(on_device), device, std::move(*embedding),
                                              std::move(*filter), std::move(*classifier));
}

}  // namespace farm
