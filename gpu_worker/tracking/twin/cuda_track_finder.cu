#include "gpu_worker/tracking/twin/cuda_track_finder.h"

#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/tracking/twin/cuda_execution.cuh"
#include "gpu_worker/tracking/twin/edge_classifier_twin.h"
#include "gpu_worker/tracking/twin/edge_filter_twin.h"
#include "gpu_worker/tracking/twin/embedding_twin.h"
#include "gpu_worker/tracking/twin/twin_track_finder.h"

namespace farm::tracking {

namespace {

/// The rim: DeviceFailure ends here.
class CudaTrackFinder final : public TrackFinder {
  public:
    CudaTrackFinder(int device, const TrackFinderConfig& config, twin::TwinNetworks networks,
                    twin::CudaExecution run)
        : device_(device), finder_(config, std::move(networks), std::move(run)) {}

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

/// `make` with the queue's device and an execution there; DeviceFailure becomes an error.
template <class Made, class Make>
Result<std::unique_ptr<Made>> made_on(const CudaQueue& queue, const Make& make) {
    try {
        twin::check(cudaSetDevice(queue.device));
        return make(twin::CudaExecution(static_cast<cudaStream_t>(queue.stream), queue.memory));
    } catch (const twin::DeviceFailure& failure) {
        return fail(ErrorCode::device, failure.what());
    }
}

}  // namespace

Result<std::unique_ptr<TrackFinder>> make_cuda_track_finder(const TrackFinderConfig& config,
                                                            twin::TwinNetworks networks,
                                                            const CudaQueue& queue) {
    FARM_EXPECT(config.graph_method == GraphMethod::radius);
    FARM_EXPECT(networks.embedder != nullptr && networks.classifier != nullptr);
    return made_on<TrackFinder>(queue, [&](twin::CudaExecution run) {
        return std::make_unique<CudaTrackFinder>(queue.device, config, std::move(networks),
                                                 std::move(run));
    });
}

Result<std::unique_ptr<twin::TwinEmbedder>> make_cuda_network(const twin::EmbeddingWeights& weights,
                                                              const CudaQueue& queue) {
    return made_on<twin::TwinEmbedder>(queue, [&](twin::CudaExecution run) {
        return std::make_unique<twin::Embedding<twin::CudaExecution>>(weights, std::move(run));
    });
}

Result<std::unique_ptr<twin::TwinEdgeScorer>> make_cuda_network(
    const twin::EdgeFilterWeights& weights, const CudaQueue& queue) {
    return made_on<twin::TwinEdgeScorer>(queue, [&](twin::CudaExecution run) {
        return std::make_unique<twin::EdgeFilter<twin::CudaExecution>>(weights, std::move(run));
    });
}

Result<std::unique_ptr<twin::TwinEdgeScorer>> make_cuda_network(
    const twin::EdgeClassifierWeights& weights, const CudaQueue& queue) {
    return made_on<twin::TwinEdgeScorer>(queue, [&](twin::CudaExecution run) {
        return std::make_unique<twin::EdgeClassifier<twin::CudaExecution>>(weights, std::move(run));
    });
}

}  // namespace farm::tracking
