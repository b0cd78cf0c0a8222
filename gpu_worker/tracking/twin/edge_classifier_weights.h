#pragma once

#include "gpu_worker/tracking/twin/edge_geometry.h"

namespace farm::tracking::twin {

/// The weights of class EdgeClassifier of training/eventfarm_train/networks.py, an interaction
/// network with 32 numbers for each point and edge. A row of a matrix holds what one number of a
/// layer gives to all 32 of the next, four at once.
struct EdgeClassifierWeights {
    static constexpr int width = 32;
    static constexpr int quads = width / 4;
    static constexpr int interaction_count = 6;

    using Row = Quad[quads];
    using Matrix = Row[width];

    /// One exchange between edges and points.
    struct Interaction {
        Matrix of_edge;
        Row of_edge_bias;
        Matrix of_first;
        Matrix of_second;
        Row edge_scale;  ///< of the layer norm
        Row edge_shift;
        Matrix edge_out;
        Row edge_out_bias;
        Row belief;
        float belief_bias;
        Matrix message;
        Row message_bias;
        Row of_point[3 * width];  ///< of the point itself, of what comes inward, of what goes out
        Row of_point_bias;
        Row point_scale;
        Row point_shift;
        Matrix point_out;
        Row point_out_bias;
    };

    Row point_in[point_feature_count];
    Row point_in_bias;
    Matrix point_start;
    Row point_start_bias;
    Row edge_in[edge_feature_count];
    Row edge_in_bias;
    Matrix edge_start;
    Row edge_start_bias;
    Interaction interactions[interaction_count];
    Matrix score;
    Row score_bias;
    Row last;
    float last_bias;
};

}  // namespace farm::tracking::twin
