#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/script.h>

#include <utility>

#include "gpu_worker/backends/run_failure.h"
#include "gpu_worker/backends/torch_failure.h"
#include "gpu_worker/backends/torch_known_networks.h"
#include "gpu_worker/backends/torch_twin_networks.h"
#include "gpu_worker/backends/track_finders.h"
#include "gpu_worker/tracking/twin/cuda_track_finder.h"

namespace farm {

namespace {

/// A filter's rows of this many edges take half a gigabyte, and launches no longer cost anything.
constexpr std::size_t filter_chunk = 524'288;

/// libtorch's: networks and stages share one pool, under the limit of `--device-memory-limit`.
constexpr tracking::twin::StreamMemory torch_memory{
    [](std::size_t size_bytes, void* stream) {
        try {
            return c10::cuda::CUDACachingAllocator::raw_alloc_with_stream(
                size_bytes, static_cast<cudaStream_t>(stream));
        } catch (...) {
            throw tracking::twin::DeviceFailure(caught_failure().detail);
        }
    },
    [](void* memory, void*) noexcept { c10::cuda::CUDACachingAllocator::raw_delete(memory); }};

/// Of the networks that have kernels of their own; null for those that have not.
struct KernelWeights {
    std::shared_ptr<const tracking::twin::EmbeddingWeights> embedding;
    std::shared_ptr<const tracking::twin::EdgeFilterWeights> filter;
    std::shared_ptr<const tracking::twin::EdgeClassifierWeights> classifier;
};

tracking::CudaQueue queue_of(const TorchStream& stream) {
    const c10::cuda::CUDAStream cuda(stream.stream());
    return {cuda.device_index(), cuda.stream(), torch_memory};
}

/// The kernel in the place of the program, where there is one.
template <class Weights, class Network>
Result<void> use_kernel(const std::shared_ptr<const Weights>& weights, const TorchStream& stream,
                        std::unique_ptr<Network>& network) {
    if (weights == nullptr) return {};
    auto kernel = make_cuda_network(*weights, queue_of(stream));
    if (!kernel) return tl::unexpected(kernel.error());
    network = std::move(*kernel);
    return {};
}

class CudaTrackFinders final : public TrackFinders {
  public:
    CudaTrackFinders(TracksSettings settings, TwinPrograms programs, KernelWeights kernels)
        : settings_(std::move(settings)),
          programs_(std::move(programs)),
          kernels_(std::move(kernels)) {}

    /// Each finder has a stream of its own, so that events overlap on the device.
    Result<std::unique_ptr<tracking::TrackFinder>> make() override {
        try {
            const TorchStream stream(programs_.classifier->device);
            auto networks = make_twin_networks(programs_, settings_.filter_input, stream);
            for (const auto& used :
                 {use_kernel(kernels_.embedding, stream, networks.embedder),
                  use_kernel(kernels_.filter, stream, networks.filter),
                  use_kernel(kernels_.classifier, stream, networks.classifier)}) {
                if (!used) return tl::unexpected(used.error());
            }
            return make_cuda_track_finder(settings_.finder, std::move(networks), queue_of(stream));
        } catch (...) {
            return fail(ErrorCode::device, caught_failure().detail);
        }
    }

    std::string kernels() const override {
        std::string names;
        for (const auto& [name, is_there] :
             {std::pair{"embedding", kernels_.embedding != nullptr},
              std::pair{"filter", kernels_.filter != nullptr},
              std::pair{"classifier", kernels_.classifier != nullptr}}) {
            if (is_there) names += (names.empty() ? "" : "+") + std::string(name);
        }
        return names.empty() ? "none" : names;
    }

  private:
    TracksSettings settings_;
    TwinPrograms programs_;
    KernelWeights kernels_;
};

/// Weights whose kernel gives something else than the program do not count, nor those of a program
/// that does not run on the probe. A lost device is an error.
template <class Weights, class Network>
Result<void> keep_if_same(std::shared_ptr<const Weights> weights, Network& network,
                          const TorchStream& stream, std::shared_ptr<const Weights>& kept) {
    if (weights == nullptr) return {};
    const auto kernel = make_cuda_network(*weights, queue_of(stream));
    if (!kernel) return tl::unexpected(kernel.error());
    const auto is_same = gives_the_same(network, **kernel, stream);
    if (!is_same && loses_device(is_same.error().message)) return tl::unexpected(is_same.error());
    if (is_same && *is_same) kept = std::move(weights);
    return {};
}

/// Of the files that hold networks of training/, which have kernels for float32.
Result<KernelWeights> find_kernels(const TracksSettings& settings, const TwinPrograms& programs) {
    KernelWeights kernels;
    if (programs.classifier->precision) return kernels;
    const TorchStream stream(programs.classifier->device);
    const auto networks = make_twin_networks(programs, settings.filter_input, stream);
    if (auto done = keep_if_same(embedding_weights(settings.embedding_file), *networks.embedder,
                                 stream, kernels.embedding);
        !done) {
        return tl::unexpected(error_of_file(settings.embedding_file, done.error()));
    }
    if (auto done = keep_if_same(edge_classifier_weights(settings.classifier_file),
                                 *networks.classifier, stream, kernels.classifier);
        !done) {
        return tl::unexpected(error_of_file(settings.classifier_file, done.error()));
    }
    if (programs.filter == nullptr || settings.filter_input != EdgeNetworkInput::graph) {
        return kernels;
    }
    if (auto done = keep_if_same(edge_filter_weights(settings.filter_file), *networks.filter,
                                 stream, kernels.filter);
        !done) {
        return tl::unexpected(error_of_file(settings.filter_file, done.error()));
    }
    return kernels;
}

/// libtorch's exceptions end here.
Result<KernelWeights> find_kernels_safely(const TracksSettings& settings,
                                          const TwinPrograms& programs) {
    try {
        return find_kernels(settings, programs);
    } catch (...) {
        return fail(ErrorCode::device, caught_failure().detail);
    }
}

using Program = std::shared_ptr<const TorchProgram>;

Result<Program> load(const ModelSource& service, const std::string& file, const Device& device) {
    if (file.empty()) return Program();
    auto program = load_torch_program(network_source(service, file), device);
    if (!program) return tl::unexpected(error_of_file(file, program.error()));
    return std::make_shared<const TorchProgram>(std::move(*program));
}

}  // namespace

Result<std::unique_ptr<TrackFinders>> load_cuda_track_finders(const ModelSource& source,
                                                              const TracksSettings& settings,
                                                              const Device& device) {
    auto embedding = load(source, settings.embedding_file, device);
    if (!embedding) return tl::unexpected(embedding.error());
    auto filter = load(source, settings.filter_file, device);
    if (!filter) return tl::unexpected(filter.error());
    auto classifier = load(source, settings.classifier_file, device);
    if (!classifier) return tl::unexpected(classifier.error());
    TwinPrograms programs{std::move(*embedding), std::move(*filter), std::move(*classifier)};
    auto kernels = find_kernels_safely(settings, programs);
    if (!kernels) return tl::unexpected(kernels.error());
    TracksSettings on_device = settings;
    if (kernels->filter != nullptr) {
        on_device.finder.filter.chunk_edge_count = 0;  // it has no rows of edges in memory
    } else if (!source.parameters.contains("farm.tracks.filter_chunk")) {
        on_device.finder.filter.chunk_edge_count = filter_chunk;
    }
    return std::make_unique<CudaTrackFinders>(std::move(on_device), std::move(programs),
                                              std::move(*kernels));
}

}  // namespace farm
