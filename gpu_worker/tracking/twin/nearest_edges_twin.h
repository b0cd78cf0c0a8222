#pragma once

#include <cstddef>

#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/twin/select_edges.h"

namespace farm::tracking::twin {

/// Both ends of each edge.
struct BothEnds {
    EdgeList edges;

    template <class Visit>
    FARM_LANE void operator()(Index edge, const Visit& visit) const {
        visit(edges.source[edge]);
        visit(edges.target[edge]);
    }
};

/// The twin of nearest_edges().
template <Execution E>
EdgeArrays<E> nearest_edges(E& run, const PointRows& points, const EdgeArrays<E>& graph,
                            std::size_t neighbour_limit) {
    const EdgeList edges = graph.list();
    const float* values = points.values;
    const std::size_t dimensions = points.dimension_count;
    auto squares = run.template array<float>(edges.size);
    float* square_of = squares.data();
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        const float* a = values + edges.source[edge] * dimensions;
        const float* b = values + edges.target[edge] * dimensions;
        float square = 0;
        for (std::size_t k = 0; k < dimensions; ++k) {
            square = multiply_add(a[k] - b[k], a[k] - b[k], square);
        }
        square_of[edge] = square;
    });

    Incidence<E> at_points =
        incidence(run, points.size, edges.size, 2 * edges.size, BothEnds{edges});
    auto flags = no_flags(run, edges.size);
    const Index* begin_of = at_points.begins.data();
    Index* ids = at_points.ids.data();
    Index* flag_of = flags.data();
    run.for_each(points.size, [=] FARM_LANE(Index point) {
        Index* row = ids + begin_of[point];
        const Index count = begin_of[point + 1] - begin_of[point];
        const bool all = static_cast<std::size_t>(count) <= neighbour_limit;
        if (!all) {  // of a point, the sum of both ends orders its neighbours as their indices do
            sort_row(row, count, [=](Index a, Index b) {
                if (square_of[a] != square_of[b]) return square_of[a] < square_of[b];
                return edges.source[a] + edges.target[a] < edges.source[b] + edges.target[b];
            });
        }
        const Index kept = all ? count : static_cast<Index>(neighbour_limit);
        for (Index i = 0; i < kept; ++i) flag_of[row[i]] = 1;  // its other end may do so, too
    });
    return selected_edges(run, edges, flags);
}

}  // namespace farm::tracking::twin
