#include "gpu_worker/tracking/tile_distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace farm::tracking {
namespace {

constexpr std::size_t tile_count = 3;
const std::vector<std::int32_t> all_tiles = {0, 1, 2};

/// Coordinates of a coarse grid, so that many distances are exactly at the limit.
std::vector<float> coarse_tiles(std::size_t dimension_count, std::mt19937& engine) {
    std::uniform_int_distribution<int> step(-4, 4);
    std::vector<float> tiles(tile_count * dimension_count * tile_width);
    for (float& value : tiles) value = 0.25F * static_cast<float>(step(engine));
    return tiles;
}

std::vector<LaneMask> points_near(const TileDistance& distance, const std::vector<float>& point,
                                  const std::vector<float>& tiles) {
    std::vector<LaneMask> masks(tile_count);
    distance.near_points(distance, point.data(), tiles.data(), all_tiles, masks.data());
    return masks;
}

std::vector<std::int32_t> boxes_near(const TileDistance& distance, const std::vector<float>& point,
                                     const std::vector<float>& low,
                                     const std::vector<float>& high) {
    std::vector<std::int32_t> found(tile_count * tile_width);
    found.resize(distance.near_boxes(distance, point.data(), low.data(), high.data(), all_tiles,
                                     found.data()));
    return found;
}

TEST(TileDistanceTest, VectorsFindWhatPlainArithmeticFinds) {
    std::mt19937 engine(5);
    for (std::size_t dimensions = 1; dimensions <= 16; ++dimensions) {
        const auto fast = tile_distance(dimensions, static_cast<float>(dimensions) / 4);
        const auto plain = portable_tile_distance(dimensions, static_cast<float>(dimensions) / 4);
        for (int round = 0; round < 50; ++round) {
            const auto point = coarse_tiles(dimensions, engine);
            const auto low = coarse_tiles(dimensions, engine);
            const auto high = coarse_tiles(dimensions, engine);
            EXPECT_EQ(points_near(fast, point, low), points_near(plain, point, low));
            EXPECT_EQ(boxes_near(fast, point, low, high), boxes_near(plain, point, low, high));
        }
    }
}

TEST(TileDistanceTest, PlaceWithoutAPointIsNearNothing) {
    std::vector<float> tiles(tile_count * 3 * tile_width, std::nanf(""));
    for (std::size_t k = 0; k < 3; ++k) tiles[k * tile_width] = 1;
    for (const auto& distance : {tile_distance(3, 10), portable_tile_distance(3, 10)}) {
        EXPECT_EQ(points_near(distance, {1, 1, 1}, tiles), (std::vector<LaneMask>{1, 0, 0}));
    }
}

}  // namespace
}  // namespace farm::tracking
