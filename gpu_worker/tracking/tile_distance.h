#pragma once

#include <cstddef>
#include <cstdint>

namespace farm::tracking {

/// Points, or boxes, stand in tiles of eight, transposed: number k * 8 + lane is coordinate k of
/// member `lane`.
inline constexpr std::size_t tile_width = 8;

/// Bit `lane` of a mask speaks of member `lane` of a tile.
using LaneMask = std::uint8_t;

/// Squared distances are one chain of fused multiply-adds in the order of the dimensions, in
/// float32: d2 = fma(a_k - b_k, a_k - b_k, d2). Every processor, and the CUDA twin, gives the same
/// bits. The chain never falls, so the box of a set of points is never farther than a point of it.
struct TileDistance {
    std::size_t dimension_count{0};
    float square_limit{0};

    /// Which points of a tile are within the limit of a point, whose coordinates are contiguous.
    LaneMask (*near_points)(const TileDistance&, const float* point, const float* tile);

    /// Which boxes of a tile (lower corners, upper corners) are.
    LaneMask (*near_boxes)(const TileDistance&, const float* point, const float* low,
                           const float* high);
};

/// With the instructions of this processor: AVX2 where it has them.
TileDistance tile_distance(std::size_t dimension_count, float square_limit);

/// The same on any processor, slowly.
TileDistance portable_tile_distance(std::size_t dimension_count, float square_limit);

}  // namespace farm::tracking
