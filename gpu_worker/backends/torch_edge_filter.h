#pragma once

#include <memory>
#include <string>

#include "gpu_worker/backends/torch_stream.h"
#include "gpu_worker/tracking/twin/edge_filter_weights.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

namespace farm {

/// The weights of a TorchScript file that has those of our filter, by name and shape; else null.
/// Whether it computes the same is for scores_alike() to say.
std::shared_ptr<const tracking::twin::EdgeFilterWeights> edge_filter_weights(
    const std::string& file);

/// Whether both give the same logits, to a relative 1e-3, for edges between space points all over a
/// detector. Both work on the stream. Errors: theirs, and device for what libtorch says.
Result<bool> scores_alike(tracking::twin::TwinEdgeScorer& one,
                          tracking::twin::TwinEdgeScorer& other, const TorchStream& stream);

}  // namespace farm
