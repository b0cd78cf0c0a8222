#include "gpu_worker/tracking/nearest_edges.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace farm::tracking {

namespace {

using EdgeId = std::uint32_t;

std::size_t index(std::int32_t point) { return static_cast<std::size_t>(point); }

float square_distance(std::span<const float> a, std::span<const float> b) {
    float square = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const float gap = a[k] - b[k];
        square = std::fma(gap, gap, square);
    }
    return square;
}

std::vector<float> squares_of(const Points& points, const Edges& edges) {
    std::vector<float> squares(edges.size());
    oneapi::tbb::parallel_for(std::size_t{0}, squares.size(), [&](std::size_t k) {
        squares[k] =
            square_distance(points.row(index(edges.source[k])), points.row(index(edges.target[k])));
    });
    return squares;
}

/// The edges at each point: those of point i end at ends[i], where those of the next begin.
struct EdgesAtPoints {
    EdgesAtPoints(const Edges& edges, std::size_t point_count)
        : ends(point_count + 1), ids(2 * edges.size()) {
        for (const auto* side : {&edges.source, &edges.target}) {
            for (const std::int32_t point : *side) ++ends[index(point) + 1];
        }
        std::inclusive_scan(ends.begin(), ends.end(), ends.begin());
        for (std::size_t k = 0; k < edges.size(); ++k) {
            ids[ends[index(edges.source[k])]++] = static_cast<EdgeId>(k);
            ids[ends[index(edges.target[k])]++] = static_cast<EdgeId>(k);
        }
    }
    std::span<EdgeId> of(std::size_t point) {
        const std::size_t begin = point == 0 ? 0 : ends[point - 1];
        return std::span(ids).subspan(begin, ends[point] - begin);
    }

    std::vector<std::size_t> ends;
    std::vector<EdgeId> ids;
};

}  // namespace

Edges nearest_edges(const Points& points, const Edges& edges, std::size_t neighbour_limit) {
    const std::vector<float> squares = squares_of(points, edges);
    EdgesAtPoints at_points(edges, points.size());
    // Of a point, the sum of both ends of an edge orders its neighbours as their indices do.
    const auto rank = [&](EdgeId k) {
        return std::pair(squares[k], std::int64_t{edges.source[k]} + edges.target[k]);
    };
    std::vector<std::uint8_t> stays(edges.size());
    oneapi::tbb::parallel_for(std::size_t{0}, points.size(), [&](std::size_t point) {
        std::span<EdgeId> ids = at_points.of(point);
        if (ids.size() > neighbour_limit) {
            const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(neighbour_limit);
            std::nth_element(ids.begin(), middle, ids.end(),
                             [&](EdgeId a, EdgeId b) { return rank(a) < rank(b); });
            ids = ids.first(neighbour_limit);
        }
        for (const EdgeId k : ids) {  // the edge's other point may set it at the same time
            std::atomic_ref(stays[k]).store(1, std::memory_order_relaxed);
        }
    });
    Edges nearest;
    for (std::size_t k = 0; k < edges.size(); ++k) {
        if (stays[k] == 0) continue;
        nearest.source.push_back(edges.source[k]);
        nearest.target.push_back(edges.target[k]);
    }
    return nearest;
}

}  // namespace farm::tracking
