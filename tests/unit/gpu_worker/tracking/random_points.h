#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "gpu_worker/tracking/edges.h"

namespace farm::tracking::testing {

/// Points that own their coordinates.
struct PointSet {
    std::vector<float> values;
    std::size_t dimension_count{3};

    Points view() const { return {values, dimension_count}; }
};

/// Clusters of `cluster_size` points each, as a trained embedding makes them of tracks: centres
/// with deviation 1, members with deviation `spread` about theirs.
inline PointSet clustered_points(std::size_t count, std::size_t dimension_count,
                                 std::size_t cluster_size, float spread, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    PointSet points{{}, dimension_count};
    std::vector<float> centre(dimension_count);
    for (std::size_t i = 0; i < count; ++i) {
        for (float& value : centre) {
            if (i % cluster_size == 0) value = normal(engine);
            points.values.push_back(value + spread * normal(engine));
        }
    }
    return points;
}

}  // namespace farm::tracking::testing
