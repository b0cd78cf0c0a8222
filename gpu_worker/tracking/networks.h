#pragma once

#include <cstddef>
#include <vector>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"

/// What the stages ask of trained networks. gpu_worker/backends makes them of TorchScript files.
/// One thread calls an object at a time. Errors: invalid for an input that the network refuses,
/// unavailable for memory that is not there now, device for a fault of the device or its library,
/// internal for an output that no stage can take.
namespace farm::tracking {

struct Embedding {
    std::vector<float> values;  ///< row-major [points, dimension_count]
    std::size_t dimension_count{1};

    Points points() const { return {values, dimension_count}; }
};

/// Gives every point a place in a space where the points of one track are near one another.
class Embedder {
  public:
    virtual ~Embedder() = default;
    virtual Result<Embedding> embed(const Points& features) = 0;
};

/// Gives every edge a score: a logit, of which the sigmoid is the probability.
class EdgeScorer {
  public:
    virtual ~EdgeScorer() = default;
    virtual Result<std::vector<float>> score(const Points& features, const EdgesView& edges) = 0;
};

}  // namespace farm::tracking
