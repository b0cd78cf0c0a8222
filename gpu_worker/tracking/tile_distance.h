#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace farm::tracking {

/// Points, or boxes, stand in tiles of eight, transposed: number k * 8 + lane is coordinate k of
/// member `lane`.
inline constexpr std::size_t tile_width = 8;

/// Bit `lane` of a mask speaks of member `lane` of a tile.
using LaneMask = std::uint8_t;

/// Squared distances are one chain of fused multiply-adds in the order of the dimensions, in
/// float32: d2 = fma(a_k - b_k, a_k - b_k, d2). Every processor, and the CUDA twin, gives the same
/// bits. The chain never falls, so the box of a set of points is never farther than a point of it.
///
/// Both functions look at a list of tiles at once, without a branch for what they find: one that
/// waits for each answer before the next question takes three times as long.
struct TileDistance {
    std::size_t dimension_count{0};
    float square_limit{0};

    /// Of the tiles in the list: masks[i] says which points of tiles[list[i]] are within the limit
    /// of the point, whose coordinates are contiguous.
    void (*near_points)(const TileDistance&, const float* point, const float* tiles,
                        std::span<const std::int32_t> list, LaneMask* masks);

    /// The boxes (lower corners, upper corners) of the tiles in the list that are within the limit,
    /// numbered tile * tile_width + lane. `found` has room for tile_width times the list; returns
    /// how many there are.
    std::size_t (*near_boxes)(const TileDistance&, const float* point, const float* low,
                              const float* high, std::span<const std::int32_t> list,
                              std::int32_t* found);
};

/// With the instructions of this processor: AVX2 where it has them.
TileDistance tile_distance(std::size_t dimension_count, float square_limit);

/// The same on any processor, slowly.
TileDistance portable_tile_distance(std::size_t dimension_count, float square_limit);

}  // namespace farm::tracking
