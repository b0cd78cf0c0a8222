#pragma once

#include <memory>
#include <string>

#include "gpu_worker/backends/torch_stream.h"
#include "gpu_worker/tracking/twin/edge_classifier_weights.h"
#include "gpu_worker/tracking/twin/edge_filter_weights.h"
#include "gpu_worker/tracking/twin/embedding_weights.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

namespace farm {

/// The networks of training/ have kernels of their own on a device. The weights of a TorchScript
/// file that has those of such a network, by name and shape; else null. Whether the file computes
/// the same is for gives_the_same() to say.
std::shared_ptr<const tracking::twin::EmbeddingWeights> embedding_weights(const std::string& file);
std::shared_ptr<const tracking::twin::EdgeFilterWeights> edge_filter_weights(
    const std::string& file);
std::shared_ptr<const tracking::twin::EdgeClassifierWeights> edge_classifier_weights(
    const std::string& file);

/// Whether both give the same rows or logits, to 1e-4, absolute and relative, for space points of
/// tracks all over a detector, and all edges between them: a sample, and no proof. Both work on the
/// stream. Errors: theirs, and device for what libtorch says.
Result<bool> gives_the_same(tracking::twin::TwinEmbedder& one, tracking::twin::TwinEmbedder& other,
                            const TorchStream& stream);
Result<bool> gives_the_same(tracking::twin::TwinEdgeScorer& one,
                            tracking::twin::TwinEdgeScorer& other, const TorchStream& stream);

}  // namespace farm
