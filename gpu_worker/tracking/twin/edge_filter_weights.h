#pragma once

#include "gpu_worker/tracking/twin/edge_geometry.h"

namespace farm::tracking::twin {

/// The weights of class Filter of training/eventfarm_train/networks.py: three layers of 64 with
/// SiLU and one output, over the features of an edge and of both its points. A row holds what one
/// number of a layer gives to all 64 of the next, four at once.
struct EdgeFilterWeights {
    static constexpr int width = 64;
    static constexpr int quads = width / 4;

    Quad of_edge[edge_feature_count][quads];
    Quad of_inner[point_feature_count][quads];
    Quad of_outer[point_feature_count][quads];
    Quad between[2][width][quads];
    Quad biases[3][quads];
    Quad last[quads];
    float last_bias;
};

}  // namespace farm::tracking::twin
