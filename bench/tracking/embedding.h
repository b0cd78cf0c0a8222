#pragma once

#include <cstddef>
#include <vector>

#include "gpu_worker/tracking/edges.h"

namespace farm::bench {

/// What an embedding makes of a full event: 120 000 points in 8 dimensions, tracks of 10 points.
/// Track centres are normal with the deviations of the reference embedding (data/reference: 1.41
/// 1.31 0.60 0.65 1.43 1.77 1.17 0.46), points normal about them with deviation 0.1, in random
/// order; a fixed seed.
struct Embedding {
    static constexpr std::size_t point_count = 120'000;
    static constexpr std::size_t dimension_count = 8;
    static constexpr std::size_t track_size = 10;
    static constexpr float radius = 1.0F;

    std::vector<float> values;

    tracking::Points points() const { return {values, dimension_count}; }
};

/// The same for the whole program; made by the first call.
const Embedding& embedding();

}  // namespace farm::bench
