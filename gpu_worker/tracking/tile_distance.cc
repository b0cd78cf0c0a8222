#include "gpu_worker/tracking/tile_distance.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
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

LaneMask near_points(const TileDistance& distance, const float* point, const float* tile) {
    Lanes squares{};
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        for (std::size_t lane = 0; lane < tile_width; ++lane) {
            const float gap = tile[k * tile_width + lane] - point[k];
            squares[lane] = std::fma(gap, gap, squares[lane]);
        }
    }
    return within(squares, distance.square_limit);
}

LaneMask near_boxes(const TileDistance& distance, const float* point, const float* low,
                    const float* high) {
    Lanes squares{};
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        for (std::size_t lane = 0; lane < tile_width; ++lane) {
            const std::size_t at = k * tile_width + lane;
            const float gap = std::max({0.0F, low[at] - point[k], point[k] - high[at]});
            squares[lane] = std::fma(gap, gap, squares[lane]);
        }
    }
    return within(squares, distance.square_limit);
}

[[gnu::target("avx2,fma")]] LaneMask within_avx2(__m256 squares, float limit) {
    const __m256 is_near = _mm256_cmp_ps(squares, _mm256_set1_ps(limit), _CMP_LE_OQ);
    return static_cast<LaneMask>(_mm256_movemask_ps(is_near));
}

[[gnu::target("avx2,fma")]] LaneMask near_points_avx2(const TileDistance& distance,
                                                      const float* point, const float* tile) {
    __m256 squares = _mm256_setzero_ps();
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        const __m256 gap =
            _mm256_sub_ps(_mm256_loadu_ps(tile + k * tile_width), _mm256_broadcast_ss(point + k));
        squares = _mm256_fmadd_ps(gap, gap, squares);
    }
    return within_avx2(squares, distance.square_limit);
}

[[gnu::target("avx2,fma")]] LaneMask near_boxes_avx2(const TileDistance& distance,
                                                     const float* point, const float* low,
                                                     const float* high) {
    __m256 squares = _mm256_setzero_ps();
    for (std::size_t k = 0; k < distance.dimension_count; ++k) {
        const __m256 place = _mm256_broadcast_ss(point + k);
        const __m256 below = _mm256_sub_ps(_mm256_loadu_ps(low + k * tile_width), place);
        const __m256 above = _mm256_sub_ps(place, _mm256_loadu_ps(high + k * tile_width));
        const __m256 gap = _mm256_max_ps(_mm256_max_ps(below, above), _mm256_setzero_ps());
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
