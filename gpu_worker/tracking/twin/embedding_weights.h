#pragma once

#include "gpu_worker/tracking/twin/lane.h"

namespace farm::tracking::twin {

/// The weights of class Embedder of training/eventfarm_train/networks.py: three layers of 64 with
/// SiLU over features of r and z, and one output that phi turns. A row of a matrix holds what one
/// number of a layer gives to all of the next, four at once.
struct EmbeddingWeights {
    static constexpr int width = 64;
    static constexpr int quads = width / 4;
    static constexpr int octave_count = 6;
    static constexpr int feature_count = 4 + 2 * 3 * octave_count;
    static constexpr int circle_count = 3;
    static constexpr int dimension_count = 12;
    static constexpr int output_count = dimension_count - circle_count;
    static constexpr int output_quads = (output_count + 3) / 4;

    Quad of_features[feature_count][quads];
    Quad between[2][width][quads];
    Quad biases[3][quads];
    Quad last[width][output_quads];  ///< behind the outputs anything
    Quad last_bias[output_quads];
    float harmonics[circle_count];
};

}  // namespace farm::tracking::twin
