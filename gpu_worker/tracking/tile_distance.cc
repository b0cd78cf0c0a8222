#include "gpu_worker/tracking/tile_distance.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>

namespace farm::tracking {

namespace {

using Lanes = std::array<float, tile_width>;

LaneMask within(const Lanes& squares, float limit) {
    unsigned mask = 0;
    for (std::size_t lane = 0; lane < tile_width; ++lane) {
        mask |= static_cast<unsigned>(squares[lane] <= limit) << lane;
    }
    return static_cast<LaneMask>(mask);
}

TileDistance::PointMasks near_points(const TileDistance& distance, const float* query,
                                     const float* tile) {
    TileDistance::PointMasks masks;
    for (std::size_t point = 0; point < tile_width; ++point) {
        Lanes squares{};
        for (std::size_t k = 0; k < distance.dimension_count; ++k) {
            for (std::size_t lane = 0; lane < tile_width; ++lane) {
                const float gap = tile[k * tile_width + lane] - query[k * tile_width + point];
                squares[lane] = std::fma(gap, gap, squares[lane]);
            }
        }
        masks[point] = within(squares, distance.square_limit);
    }
    return masks;
}

LaneMask near_boxes(const TileDistance& distance, const float* low, const float* high,
                    const float* tile_low, const float* tile_high) {
    Lanes squares{};
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        const std::size_t at = k * tile_width;
        for (std::size_t lane = 0; lane < tile_width; ++lane) {
            const float gap =
                std::max({0.0F, tile_low[at + lane] - high[at], low[at] - tile_high[at + lane]});
            squares[lane] = std::fma(gap, gap, squares[lane]);
        }
    }
    return within(squares, distance.square_limit);
}

[[gnu::target("avx2,fma")]] LaneMask within_avx2(__m256 squares, float limit) {
    const __m256 is_near = _mm256_cmp_ps(squares, _mm256_set1_ps(limit), _CMP_LE_OQ);
    return static_cast<LaneMask>(_mm256_movemask_ps(is_near));
}

[[gnu::target("avx2,fma")]] TileDistance::PointMasks near_points_avx2(const TileDistance& distance,
                                                                      const float* query,
                                                                      const float* tile) {
    __m256 squares[tile_width] = {};
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        const __m256 lanes = _mm256_loadu_ps(tile + k * tile_width);
        for (std::size_t point = 0; point < tile_width; ++point) {
            const __m256 gap =
                _mm256_sub_ps(lanes, _mm256_broadcast_ss(query + k * tile_width + point));
            squares[point] = _mm256_fmadd_ps(gap, gap, squares[point]);
        }
    }
    TileDistance::PointMasks masks;
    for (std::size_t point = 0; point < tile_width; ++point) {
        masks[point] = within_avx2(squares[point], distance.square_limit);
    }
    return masks;
}

[[gnu::target("avx2,fma")]] LaneMask near_boxes_avx2(const TileDistance& distance, const float* low,
                                                     const float* high, const float* tile_low,
                                                     const float* tile_high) {
    __m256 squares = _mm256_setzero_ps();
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        const std::size_t at = k * tile_width;
        const __m256 above =
            _mm256_sub_ps(_mm256_loadu_ps(tile_low + at), _mm256_broadcast_ss(high + at));
        const __m256 below =
            _mm256_sub_ps(_mm256_broadcast_ss(low + at), _mm256_loadu_ps(tile_high + at));
        const __m256 gap = _mm256_max_ps(_mm256_max_ps(above, below), _mm256_setzero_ps());
        squares = _mm256_fmadd_ps(gap, gap, squares);
    }
    return within_avx2(squares, distance.square_limit);
}

}  // namespace

TileDistance tile_distance(std::size_t dimension_count, float square_limit) {
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return {dimension_count, square_limit, near_points_avx2, near_boxes_avx2};
    }
    return portable_tile_distance(dimension_count, square_limit);
}

TileDistance portable_tile_distance(std::size_t dimension_count, float square_limit) {
    return {dimension_count, square_limit, near_points, near_boxes};
}

}  // namespace farm::tracking
