#include "gpu_worker/tracking/tile_distance.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace farm::tracking {
namespace {

/// Coordinates of a coarse grid, so that many distances are exactly at the limit.
std::vector<float> coarse_tile(std::size_t dimension_count, std::mt19937& engine) {
    std::uniform_int_distribution<int> step(-4, 4);
    std::vector<float> tile(dimension_count * tile_width);
    for (float& value : tile) value = 0.25F * static_cast<float>(step(engine));
    return tile;
}

TEST(TileDistanceTest, VectorsGiveTheMasksOfPlainArithmetic) {
    std::mt19937 engine(5);
    for (std::size_t dimensions = 1; dimensions <= 16; ++dimensions) {
        const auto fast = tile_distance(dimensions, static_cast<float>(dimensions) / 4);
        const auto plain = portable_tile_distance(dimensions, static_cast<float>(dimensions) / 4);
        for (int round = 0; round < 50; ++round) {
            const auto a = coarse_tile(dimensions, engine);
            const auto b = coarse_tile(dimensions, engine);
            EXPECT_EQ(fast.near_points(fast, a.data(), b.data()),
                      plain.near_points(plain, a.data(), b.data()));
            const auto high = coarse_tile(dimensions, engine);
            EXPECT_EQ(fast.near_boxes(fast, a.data(), b.data(), high.data()),
                      plain.near_boxes(plain, a.data(), b.data(), high.data()));
        }
    }
}

TEST(TileDistanceTest, PlaceWithoutAPointIsNearNothing) {
    std::vector<float> tile(3 * tile_width, std::nanf(""));
    for (std::size_t k = 0; k < 3; ++k) tile[k * tile_width] = 1;
    for (const auto& distance : {tile_distance(3, 10), portable_tile_distance(3, 10)}) {
        const std::vector<float> point(3, 1.0F);
        EXPECT_EQ(distance.near_points(distance, point.data(), tile.data()), 1);
    }
}

}  // namespace
}  // namespace farm::tracking
