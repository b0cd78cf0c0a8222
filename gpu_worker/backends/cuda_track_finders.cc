#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/script.h>

#include <utility>

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

class CudaTrackFinders final : public TrackFinders {
  public:
    CudaTrackFinders(TracksSettings settings, Device device, TwinPrograms programs)
        : settings_(std::move(settings)),
          device_(std::move(device)),
          programs_(std::move(programs)) {}

    /// Each finder has a stream of its own, so that events overlap on the device.
    Result<std::unique_ptr<tracking::TrackFinder>> make() override {
        try {
            const TorchStream stream(programs_.classifier->device);
            return make_cuda_track_finder(
                settings_.finder, make_twin_networks(programs_, settings_.filter_input, stream),
                {device_.index, c10::cuda::CUDAStream(stream.stream()).stream(), torch_memory});
        } catch (...) {
            return fail(ErrorCode::device, caught_failure().detail);
        }
    }

  private:
    TracksSettings settings_;
    Device device_;
    TwinPrograms programs_;
};

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
    return std::make_unique<CudaTrackFinders>(
        std::move(on_device), device,
        TwinPrograms{std::move(*embedding), std::move(*filter), std::move(*classifier)});
}

}  // namespace farm
