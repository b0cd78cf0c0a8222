#include "gpu_worker/tracking/tile_distance.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace farm::tracking {

namespace {

using List = std::span<const std::int32_t>;
using Lanes = std::array<float, tile_width>;

std::size_t start_of(const TileDistance& distance, std::int32_t tile) {
    return static_cast<std::size_t>(tile) * distance.dimension_count * tile_width;
}

// ---- any processor ----------------------------------------------------------------------------

LaneMask within(const Lanes& squares, float limit) {
    unsigned mask = 0;
    for (std::size_t lane = 0; lane < tile_width; ++lane) {
        mask |= static_cast<unsigned>(squares[lane] <= limit) << lane;
    }
    return static_cast<LaneMask>(mask);
}

void near_points(const TileDistance& distance, const float* point, const float* tiles, List list,
                 LaneMask* masks) {
    for (const std::int32_t index : list) {
        const float* tile = tiles + start_of(distance, index);
        Lanes squares{};
        for (std::size_t k = 0; k < distance.dimension_count; ++k) {
            for (std::size_t lane = 0; lane < tile_width; ++lane) {
                const float gap = tile[k * tile_width + lane] - point[k];
                squares[lane] = std::fma(gap, gap, squares[lane]);
            }
        }
        *masks++ = within(squares, distance.square_limit);
    }
}

std::size_t near_boxes(const TileDistance& distance, const float* point, const float* low,
                       const float* high, List list, std::int32_t* found) {
    std::size_t count = 0;
    for (const std::int32_t tile : list) {
        const std::size_t start = start_of(distance, tile);
        Lanes squares{};
        for (std::size_t k = 0; k < distance.dimension_count; ++k) {
            for (std::size_t lane = 0; lane < tile_width; ++lane) {
                const std::size_t at = start + k * tile_width + lane;
                const float gap = std::max({0.0F, low[at] - point[k], point[k] - high[at]});
                squares[lane] = std::fma(gap, gap, squares[lane]);
            }
        }
        unsigned mask = within(squares, distance.square_limit);
        for (; mask != 0; mask &= mask - 1) {
            found[count++] = tile * static_cast<std::int32_t>(tile_width) + __builtin_ctz(mask);
        }
    }
    return count;
}

#if defined(__x86_64__)

// ---- AVX2 -------------------------------------------------------------------------------------

/// The lanes of each mask, the lowest first.
using LaneList = std::array<std::uint8_t, tile_width>;
constexpr std::array<LaneList, 256> lanes_of_mask = [] {
    std::array<LaneList, 256> lists{};
    for (std::size_t mask = 0; mask < lists.size(); ++mask) {
        std::size_t count = 0;
        for (std::uint8_t lane = 0; lane < tile_width; ++lane) {
            if ((mask >> lane & 1) != 0) lists[mask][count++] = lane;
        }
    }
    return lists;
}();

[[gnu::target("avx2,fma")]] LaneMask within_avx2(__m256 squares, float limit) {
    const __m256 is_near = _mm256_cmp_ps(squares, _mm256_set1_ps(limit), _CMP_LE_OQ);
    return static_cast<LaneMask>(_mm256_movemask_ps(is_near));
}

[[gnu::target("avx2,fma")]] void near_points_avx2(const TileDistance& distance, const float* point,
                                                  const float* tiles, List list, LaneMask* masks) {
    for (const std::int32_t index : list) {
        const float* tile = tiles + start_of(distance, index);
        __m256 squares = _mm256_setzero_ps();
        for (std::size_t k = 0; k < distance.dimension_count; ++k) {
            const __m256 lanes = _mm256_loadu_ps(tile + k * tile_width);
            const __m256 gap = _mm256_sub_ps(lanes, _mm256_broadcast_ss(point + k));
            squares = _mm256_fmadd_ps(gap, gap, squares);
        }
        *masks++ = within_avx2(squares, distance.square_limit);
    }
}

/// Writes eight numbers for each tile, of which the next tile overwrites those that are too many.
[[gnu::target("avx2,fma,popcnt")]] std::size_t near_boxes_avx2(const TileDistance& distance,
                                                               const float* point, const float* low,
                                                               const float* high, List list,
                                                               std::int32_t* found) {
    std::size_t count = 0;
    for (const std::int32_t tile : list) {
        const std::size_t start = start_of(distance, tile);
        __m256 squares = _mm256_setzero_ps();
        for (std::size_t k = 0; k < distance.dimension_count; ++k) {
            const std::size_t at = start + k * tile_width;
            const __m256 place = _mm256_broadcast_ss(point + k);
            const __m256 below = _mm256_sub_ps(_mm256_loadu_ps(low + at), place);
            const __m256 above = _mm256_sub_ps(place, _mm256_loadu_ps(high + at));
            const __m256 gap = _mm256_max_ps(_mm256_max_ps(below, above), _mm256_setzero_ps());
            squares = _mm256_fmadd_ps(gap, gap, squares);
        }
        const unsigned mask = within_avx2(squares, distance.square_limit);
        const __m256i lanes = _mm256_cvtepu8_epi32(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lanes_of_mask[mask].data())));
        const __m256i first = _mm256_set1_epi32(tile * static_cast<std::int32_t>(tile_width));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(found + count),
                            _mm256_add_epi32(first, lanes));
        count += static_cast<std::size_t>(__builtin_popcount(mask));
    }
    return count;
}

bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("popcnt");
}

#endif

}  // namespace

TileDistance tile_distance(std::size_t dimension_count, float square_limit) {
#if defined(__x86_64__)
    if (has_avx2()) return {dimension_count, square_limit, near_points_avx2, near_boxes_avx2};
#endif
    return portable_tile_distance(dimension_count, square_limit);
}

TileDistance portable_tile_distance(std::size_t dimension_count, float square_limit) {
    return {dimension_count, square_limit, near_points, near_boxes};
}

}  // namespace farm::tracking
