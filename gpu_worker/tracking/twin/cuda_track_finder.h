#pragma once

#include <memory>

#include "common/core/error.h"
#include "gpu_worker/tracking/track_finder.h"
#include "gpu_worker/tracking/twin/edge_classifier_weights.h"
#include "gpu_worker/tracking/twin/edge_filter_weights.h"
#include "gpu_worker/tracking/twin/embedding_weights.h"
#include "gpu_worker/tracking/twin/stream_memory.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

namespace farm::tracking {

/// A stream of a CUDA device (cudaStream_t) and the memory for what runs there; both live at least
/// as long as what uses them.
struct CudaQueue {
    int device{0};
    void* stream{nullptr};
    const twin::StreamMemory& memory;
};

/// TwinTrackFinder on a GPU. Errors of find() are those of TrackFinder, and device with the text of
/// the CUDA runtime, after which the process should not use the device again, unless it is memory
/// that there was not enough of.
/// Requires GraphMethod::radius, a classifier and an embedder, which work on that stream.
Result<std::unique_ptr<TrackFinder>> make_cuda_track_finder(const TrackFinderConfig& config,
                                                            twin::TwinNetworks networks,
                                                            const CudaQueue& queue);

/// Embedding, EdgeFilter and EdgeClassifier on a GPU, for a finder with the same queue. Errors:
/// device. The networks throw twin::DeviceFailure, which that finder makes an error of.
Result<std::unique_ptr<twin::TwinEmbedder>> make_cuda_network(const twin::EmbeddingWeights& weights,
                                                              const CudaQueue& queue);
Result<std::unique_ptr<twin::TwinEdgeScorer>> make_cuda_network(
    const twin::EdgeFilterWeights& weights, const CudaQueue& queue);
Result<std::unique_ptr<twin::TwinEdgeScorer>> make_cuda_network(
    const twin::EdgeClassifierWeights& weights, const CudaQueue& queue);

}  // namespace farm::tracking
