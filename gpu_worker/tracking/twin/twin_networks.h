#pragma once

#include <cstddef>
#include <memory>

#include "common/core/error.h"
#include "gpu_worker/tracking/twin/execution.h"

/// networks.h with everything in memory of the device. What a network gives is used by steps that
/// follow on the same stream. One thread calls an object at a time; errors as in networks.h.
namespace farm::tracking::twin {

/// Rows or scores that the network's own memory holds.
struct NetworkOutput {
    std::shared_ptr<const void> owner;
    const float* values{nullptr};
    std::size_t size{0};  ///< points or edges
    std::size_t dimension_count{1};

    PointRows rows() const { return {values, size, dimension_count}; }
};

class TwinEmbedder {
  public:
    virtual ~TwinEmbedder() = default;
    virtual Result<NetworkOutput> embed(const PointRows& features) = 0;
};

/// Logits.
class TwinEdgeScorer {
  public:
    virtual ~TwinEdgeScorer() = default;
    virtual Result<NetworkOutput> score(const PointRows& features, const EdgeList& edges) = 0;
};

/// As TrackNetworks.
struct TwinNetworks {
    std::unique_ptr<TwinEmbedder> embedder;
    std::unique_ptr<TwinEdgeScorer> filter;
    std::unique_ptr<TwinEdgeScorer> classifier;
};

}  // namespace farm::tracking::twin
