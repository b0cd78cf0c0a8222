#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/script.h>

#include <utility>

#include "gpu_worker/backends/torch_edge_filter.h"
#include "gpu_worker/backends/torch_failure.h"
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

using FilterWeights = std::shared_ptr<const tracking::twin::EdgeFilterWeights>;

tracking::CudaQueue queue_of(const TorchStream& stream) {
    const c10::cuda::CUDAStream cuda(stream.stream());
    return {cuda.device_index(), cuda.stream(), torch_memory};
}

class CudaTrackFinders final : public TrackFinders {
  public:
    /// `filter`: of the kernel that stands for the filter's program; may be null.
    CudaTrackFinders(TracksSettings settings, TwinPrograms programs, FilterWeights filter)
        : settings_(std::move(settings)),
          programs_(std::move(programs)),
          filter_(std::move(filter)) {}

    /// Each finder has a stream of its own, so that events overlap on the device.
    Result<std::unique_ptr<tracking::TrackFinder>> make() override {
        try {
            const TorchStream stream(programs_.classifier->device);
            auto networks = make_twin_networks(programs_, settings_.filter_input, stream);
            if (filter_ != nullptr) {
                auto filter = make_cuda_edge_filter(*filter_, queue_of(stream));
                if (!filter) return tl::unexpected(filter.error());
                networks.filter = std::move(*filter);
            }
            return make_cuda_track_finder(settings_.finder, std::move(networks), queue_of(stream));
        } catch (...) {
            return fail(ErrorCode::device, caught_failure().detail);
        }
    }

  private:
    TracksSettings settings_;
    TwinPrograms programs_;
    FilterWeights filter_;
};

/// Null unless the file holds the network that the kernel computes.
Result<FilterWeights> kernel_filter(const TracksSettings& settings, const TwinPrograms& programs) {
    if (programs.filter == nullptr || programs.filter->precision ||
        settings.filter_input != EdgeNetworkInput::graph) {
        return nullptr;
    }
    FilterWeights weights = edge_filter_weights(settings.filter_file);
    if (weights == nullptr) return nullptr;
    const TorchStream stream(programs.filter->device);
    const auto kernel = make_cuda_edge_filter(*weights, queue_of(stream));
    if (!kernel) return tl::unexpected(kernel.error());
    const auto networks = make_twin_networks(programs, settings.filter_input, stream);
    const auto alike = scores_alike(*networks.filter, **kernel, stream);
    if (!alike) return tl::unexpected(alike.error());
    return *alike ? weights : nullptr;
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
    auto kernel = kernel_filter(settings, programs);
    if (!kernel) return tl::unexpected(error_of_file(settings.filter_file, kernel.error()));
    if (*kernel != nullptr) programs.filter = nullptr;
    TracksSettings on_device = settings;
    if (!source.parameters.contains("farm.tracks.filter_chunk")) {
        on_device.finder.filter.chunk_edge_count = *kernel != nullptr ? 0 : filter_chunk;
    }
    return std::make_unique<CudaTrackFinders>(std::move(on_device), std::move(programs),
                                              std::move(*kernel));
}

}  // namespace farm
