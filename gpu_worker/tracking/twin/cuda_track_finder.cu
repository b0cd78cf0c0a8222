#include "gpu_worker/tracking/twin/cuda_track_finder.h"

#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/tracking/twin/cuda_execution.cuh"
#include "gpu_worker/tracking/twin/edge_filter_twin.h"
#include "gpu_worker/tracking/twin/twin_track_finder.h"

namespace farm::tracking {

namespace {

/// The rim: DeviceFailure ends here.
class CudaTrackFinder final : public TrackFinder {
  public:
    CudaTrackFinder(const TrackFinderConfig& config, twin::TwinNetworks networks,
                    const CudaQueue& queue)
        : device_(queue.device),
          finder_(config, std::move(networks),
                  twin::CudaExecution(static_cast<cudaStream_t>(queue.stream), queue.memory)) {}

    Result<FoundTracks> find(const Points& features, std::span<const std::size_t> event_ends,
                             KeepEdges keep) override {
        try {
            twin::check(cudaSetDevice(device_));
            return finder_.find(features, event_ends, keep);
        } catch (const twin::DeviceFailure& failure) {
            return fail(ErrorCode::device, failure.what());
        }
    }

  private:
    int device_;
    twin::TwinTrackFinder<twin::CudaExecution> finder_;
};

}  // namespace

Result<std::unique_ptr<TrackFinder>> make_cuda_track_finder(const TrackFinderConfig& config,
                                                            twin::TwinNetworks networks,
                                                            const CudaQueue& queue) {
    FARM_EXPECT(config.graph_method == GraphMethod::radius);
    FARM_EXPECT(networks.embedder != nullptr && networks.classifier != nullptr);
    try {
        twin::check(cudaSetDevice(queue.device));
        return std::make_unique<CudaTrackFinder>(config, std::move(networks), queue);
    } catch (const twin::DeviceFailure& failure) {
        return fail(ErrorCode::device, failure.what());
    }
}

Result<std::unique_ptr<twin::TwinEdgeScorer>> make_cuda_edge_filter(
    const twin::EdgeFilterWeights& weights, const CudaQueue& queue) {
    try {
        twin::check(cudaSetDevice(queue.device));
        return std::make_unique<twin::EdgeFilter<twin::CudaExecution>>(
            weights, twin::CudaExecution(static_cast<cudaStream_t>(queue.stream), queue.memory));
    } catch (const twin::DeviceFailure& failure) {
        return fail(ErrorCode::device, failure.what());
    }
}

}  // namespace farm::tracking
