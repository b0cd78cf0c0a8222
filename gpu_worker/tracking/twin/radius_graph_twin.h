#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/radius_graph.h"
#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/twin/nearest_edges_twin.h"

/// The twin of radius_graph(): the same edges in the same order.
///
/// Points lie in the cells of a grid over the three dimensions in which they are spread most; cells
/// are as wide as the radius at least. Those of neighbouring cells stand together (counting sort),
/// so a point's candidates are nine ranges of positions, six of them with earlier ones. Each range
/// has a lane of its own, because dense places would else hold up all others, and the lanes of a
/// warp read the same ones. A pair is looked at by its later position: once to count the edges of
/// each row, then, behind their prefix sum, to fill them in. Atomics make the order within a row
/// any; each row is sorted.
namespace farm::tracking::twin {

namespace grid {

inline constexpr int width = 3;  ///< dimensions of the grid
inline constexpr std::size_t cell_limit = 1 << 21;
inline constexpr int most_cells_a_side = 128;  ///< width of them together are cell_limit
inline constexpr int parts = 64;               ///< of the sample that finds the spread
inline constexpr int sampled_per_part = 32;
/// No narrower: squares of smaller gaps lose their digits in float32.
inline constexpr double least_side = 1e-20;

struct Axis {
    int dimension{0};
    double low{0};
    double cells_per_unit{0};
    int cell_count{1};

    /// Ascends with the coordinate, and by one at most for one side: what lies beyond the sample
    /// is in the first or last cell.
    FARM_LANE int cell_of(float coordinate) const {
        const double cell = (static_cast<double>(coordinate) - low) * cells_per_unit;
        if (!(cell > 0)) return 0;
        return cell < cell_count - 1 ? static_cast<int>(cell) : cell_count - 1;
    }
};

struct Grid {
    Axis axes[width];

    FARM_LANE Index cell_count() const {
        return axes[0].cell_count * axes[1].cell_count * axes[2].cell_count;
    }
};

/// What a sample says of one dimension.
struct Spread {
    double sum{0};
    double square_sum{0};
    double count{0};
    float low{0};
    float high{0};

    FARM_LANE void add(float value) {
        low = count == 0 || value < low ? value : low;
        high = count == 0 || value > high ? value : high;
        sum += value;
        square_sum += static_cast<double>(value) * value;
        count += 1;
    }
    FARM_LANE void add(const Spread& other) {
        if (other.count == 0) return;
        low = count == 0 || other.low < low ? other.low : low;
        high = count == 0 || other.high > high ? other.high : high;
        sum += other.sum;
        square_sum += other.square_sum;
        count += other.count;
    }
    FARM_LANE double variance() const {
        const double mean = sum / count;
        return square_sum / count - mean * mean;
    }
};

FARM_LANE inline Axis axis_of(int dimension, const Spread& spread, double side, int most_cells) {
    const double extent = static_cast<double>(spread.high) - spread.low;
    const double wished = extent / side + 1;
    const int cells = wished < most_cells ? static_cast<int>(wished) : most_cells;
    const double widened = extent / cells > side ? extent / cells : side;
    return {dimension, spread.low, 1 / widened, cells};
}

/// The dimensions with the largest variance; fewer than three leave an axis of one cell.
FARM_LANE inline Grid grid_of(const Spread* spreads, int dimension_count, double side,
                              int most_cells) {
    Grid grid;
    std::uint64_t taken = 0;
    for (Axis& axis : grid.axes) {
        int best = -1;
        for (int k = 0; k < dimension_count; ++k) {
            if ((taken >> k & 1) != 0) continue;
            if (best < 0 || spreads[k].variance() > spreads[best].variance()) best = k;
        }
        if (best < 0) break;
        taken |= std::uint64_t{1} << best;
        axis = axis_of(best, spreads[best], side, most_cells);
    }
    return grid;
}

inline int cells_a_side(std::size_t event_count) {
    int most = most_cells_a_side;
    while (most > 1 && event_count * most * most * most > cell_limit) --most;
    return most;
}

template <Execution E>
Array<E, Grid> make_grid(E& run, const PointRows& points, double side, int most_cells) {
    const int dimensions = static_cast<int>(points.dimension_count);
    const float* values = points.values;
    const std::size_t count = points.size;
    const std::size_t step = count / (parts * sampled_per_part) + 1;

    auto partial = run.template array<Spread>(points.dimension_count * parts);
    Spread* partials = partial.data();
    run.for_each(partial.size(), [=] FARM_LANE(Index lane) {
        const int dimension = lane / parts;
        Spread spread;
        for (int i = 0; i < sampled_per_part; ++i) {
            const std::size_t point = (std::size_t(i) * parts + lane % parts) * step;
            if (point < count) spread.add(values[point * dimensions + dimension]);
        }
        partials[lane] = spread;
    });

    auto spread = run.template array<Spread>(points.dimension_count);
    Spread* spreads = spread.data();
    run.for_each(spread.size(), [=] FARM_LANE(Index dimension) {
        Spread all;
        for (int part = 0; part < parts; ++part) all.add(partials[dimension * parts + part]);
        spreads[dimension] = all;
    });

    auto made = run.template array<Grid>(1);
    Grid* grid = made.data();
    run.for_each(1,
                 [=] FARM_LANE(Index) { *grid = grid_of(spreads, dimensions, side, most_cells); });
    return made;
}

}  // namespace grid

/// The points of all events by cell: position i is one of them.
template <class E>
struct SortedPoints {
    Array<E, grid::Grid> grid;
    Array<E, Index> cell_begins;  ///< of each event's cells, and one behind the last
    Array<E, Index> points;       ///< at each position
    Array<E, Index> cells;        ///< of each position
    Array<E, Quad> rows;          ///< [positions, quads]: coordinates, padded with 0
    std::size_t quads;
};

template <Execution E>
SortedPoints<E> sort_points(E& run, const PointRows& points, const Array<E, Index>& event_ends,
                            float radius) {
    const std::size_t count = points.size;
    const std::size_t dimensions = points.dimension_count;
    const std::size_t quads = (dimensions + 3) / 4;
    const auto event_count = static_cast<Index>(event_ends.size());
    const int most_cells = grid::cells_a_side(event_ends.size());
    const std::size_t cell_count = event_ends.size() * most_cells * most_cells * most_cells;
    const double side = radius * 1.0001 > grid::least_side ? radius * 1.0001 : grid::least_side;

    SortedPoints<E> sorted{grid::make_grid(run, points, side, most_cells),
                           run.template array<Index>(cell_count + 1),
                           run.template array<Index>(count),
                           run.template array<Index>(count),
                           run.template array<Quad>(count * quads),
                           quads};
    auto cells = run.template array<Index>(count);
    auto ranks = run.template array<Index>(count);
    auto counts = run.template array<Index>(cell_count + 1);
    run.zero(counts);

    const grid::Grid* grid = sorted.grid.data();
    const Index* ends = event_ends.data();
    const float* values = points.values;
    Index* cell_of = cells.data();
    Index* rank_of = ranks.data();
    Index* size_of = counts.data();
    run.for_each(count, [=] FARM_LANE(Index point) {
        const float* row = values + point * dimensions;
        Index cell = event_of(ends, event_count, point);
        for (const grid::Axis& axis : grid->axes) {
            cell = cell * axis.cell_count + axis.cell_of(row[axis.dimension]);
        }
        cell_of[point] = cell;
        rank_of[point] = fetch_add(size_of[cell], Index{1});
    });
    run.exclusive_sum(counts, sorted.cell_begins);

    const Index* begins = sorted.cell_begins.data();
    Index* point_at = sorted.points.data();
    Index* cell_at = sorted.cells.data();
    Quad* rows = sorted.rows.data();
    run.for_each(count, [=] FARM_LANE(Index point) {
        const Index position = begins[cell_of[point]] + rank_of[point];
        point_at[position] = point;
        cell_at[position] = cell_of[point];
        for (std::size_t k = 0; k < 4 * quads; ++k) {
            rows[position * quads + k / 4].values[k % 4] =
                k < dimensions ? values[point * dimensions + k] : 0.0F;
        }
    });
    return sorted;
}

/// The coordinates of a lane's own point: in registers where their number is known.
template <int quad_count>
struct OwnRow {
    Quad quads[quad_count];

    FARM_LANE OwnRow(const Quad* row, int) {
        for (int q = 0; q < quad_count; ++q) quads[q] = row[q];
    }
    FARM_LANE int size() const { return quad_count; }
    FARM_LANE Quad operator[](int q) const { return quads[q]; }
};

template <>
struct OwnRow<0> {
    const Quad* quads;
    int count;

    FARM_LANE OwnRow(const Quad* row, int size) : quads(row), count(size) {}
    FARM_LANE int size() const { return count; }
    FARM_LANE Quad operator[](int q) const { return quads[q]; }
};

/// d2 of tile_distance.h. It never falls along the chain, which may therefore end early.
template <class Own>
FARM_LANE bool is_within(const Own& own, const Quad* other, float square_limit) {
    float square = 0;
    for (int q = 0; q < own.size(); ++q) {
        const Quad a = own[q];
        const Quad b = other[q];
        for (int k = 0; k < 4; ++k) {
            const float gap = a.values[k] - b.values[k];
            square = multiply_add(gap, gap, square);
        }
        if (!(square <= square_limit)) return false;
    }
    return true;
}

/// The view of SortedPoints that lanes have.
struct PairSearch {
    const grid::Grid* grid;
    const Index* cell_begins;
    const Index* cells;
    const Index* points;
    const Quad* rows;
    int quads;
    float square_limit;

    /// Columns of cells that a point's earlier neighbours lie in: as many lanes share its work.
    static constexpr Index column_count = 6;

    /// Calls found(other position) for each earlier position within the limit, of one column.
    template <int quad_count, class Found>
    FARM_LANE void earlier_neighbours(Index position, Index column, const Found& found) const {
        const grid::Axis* axes = grid->axes;
        Index rest = cells[position];
        const Index z = rest % axes[2].cell_count;
        rest /= axes[2].cell_count;
        const Index y = rest % axes[1].cell_count + column % 3 - 1;
        rest /= axes[1].cell_count;
        const Index x = rest % axes[0].cell_count + column / 3 - 1;  // later positions lie beyond
        const Index event = rest / axes[0].cell_count;
        if (x < 0 || y < 0 || y >= axes[1].cell_count) return;
        const Index first =
            ((event * axes[0].cell_count + x) * axes[1].cell_count + y) * axes[2].cell_count;
        const Index begin = cell_begins[first + (z > 0 ? z - 1 : 0)];
        const Index last = cell_begins[first + (z + 1 < axes[2].cell_count ? z + 2 : z + 1)];
        const Index end = last < position ? last : position;
        if (begin >= end) return;
        const OwnRow<quad_count> own(rows + static_cast<std::size_t>(position) * quads, quads);
        for (Index other = begin; other < end; ++other) {
            const Quad* row = rows + static_cast<std::size_t>(other) * quads;
            if (is_within(own, row, square_limit)) found(other);
        }
    }
};

/// The number of edges of each row, the larger point of each pair; stops soon after `edge_limit`.
template <int quad_count, Execution E>
void count_rows(E& run, const PairSearch& search, std::size_t edge_limit, Array<E, Index>& sizes) {
    constexpr Index published_at_once = 4096;  // few rows get there
    auto published = run.template array<unsigned long long>(1);
    run.zero(published);
    unsigned long long* total = published.data();
    Index* size_of = sizes.data();
    const auto point_count = static_cast<Index>(sizes.size() - 1);
    run.for_each(PairSearch::column_count * (sizes.size() - 1), [=] FARM_LANE(Index lane) {
        if (shared_value(*total) > edge_limit) return;
        const Index position = lane % point_count;
        const Index own = search.points[position];
        Index count = 0;
        search.earlier_neighbours<quad_count>(position, lane / point_count, [&](Index other) {
            const Index point = search.points[other];
            fetch_add(size_of[own > point ? own : point], Index{1});
            if (++count % published_at_once != 0) return;
            fetch_add(*total, static_cast<unsigned long long>(published_at_once));
        });
    });
}

template <int quad_count, Execution E>
void fill_rows(E& run, const PairSearch& search, std::size_t point_count,
               const Array<E, std::int64_t>& ends, EdgeArrays<E>& edges) {
    auto filled = run.template array<Index>(point_count);
    run.zero(filled);
    Index* filled_of = filled.data();
    const std::int64_t* begin_of = ends.data();
    Index* targets = edges.target.data();
    const auto count = static_cast<Index>(point_count);
    run.for_each(PairSearch::column_count * point_count, [=] FARM_LANE(Index lane) {
        const Index position = lane % count;
        const Index own = search.points[position];
        search.earlier_neighbours<quad_count>(position, lane / count, [&](Index other) {
            const Index point = search.points[other];
            const Index row = own > point ? own : point;
            const Index rank = fetch_add(filled_of[row], Index{1});
            targets[begin_of[row] + rank] = own > point ? point : own;
        });
    });
}

/// Sorts the rows and writes the source of each edge.
template <Execution E>
void finish_rows(E& run, std::size_t point_count, const Array<E, std::int64_t>& ends,
                 EdgeArrays<E>& edges) {
    const std::int64_t* begin_of = ends.data();
    Index* sources = edges.source.data();
    Index* targets = edges.target.data();
    run.for_each(point_count, [=] FARM_LANE(Index row) {
        const std::int64_t begin = begin_of[row];
        const std::int64_t end = begin_of[row + 1];
        sort_row(targets + begin, static_cast<Index>(end - begin), Ascending{});
        for (std::int64_t k = begin; k < end; ++k) sources[k] = row;
    });
}

template <int quad_count, Execution E>
Result<EdgeArrays<E>> edges_within(E& run, const SortedPoints<E>& sorted, float radius,
                                   std::size_t edge_limit) {
    const std::size_t count = sorted.points.size();
    const PairSearch search{sorted.grid.data(),  sorted.cell_begins.data(),
                            sorted.cells.data(), sorted.points.data(),
                            sorted.rows.data(),  static_cast<int>(sorted.quads),
                            radius * radius};
    auto sizes = run.template array<Index>(count + 1);
    run.zero(sizes);
    count_rows<quad_count>(run, search, edge_limit, sizes);
    auto ends = run.template array<std::int64_t>(count + 1);
    run.exclusive_sum(sizes, ends);
    const auto found = static_cast<std::size_t>(read_number(run, ends, count));
    if (found > edge_limit) return too_many_edges(radius, edge_limit, count);
    EdgeArrays<E> edges{run.template array<Index>(found), run.template array<Index>(found)};
    fill_rows<quad_count>(run, search, count, ends, edges);
    finish_rows(run, count, ends, edges);
    return edges;
}

/// Waits for the number of edges. Of finite points of `event_ends.size()` events, which no edge
/// leaves. `config` is checked. Errors: too_large for more than config.edge_limit edges, found
/// before memory for them is taken.
template <Execution E>
Result<EdgeArrays<E>> radius_graph(E& run, const PointRows& points,
                                   const Array<E, Index>& event_ends,
                                   const RadiusGraphConfig& config) {
    if (points.size == 0) {
        return EdgeArrays<E>{run.template array<Index>(0), run.template array<Index>(0)};
    }
    const SortedPoints<E> sorted = sort_points(run, points, event_ends, config.radius);
    const auto edges = [&] {
        switch (sorted.quads) {
            case 1: return edges_within<1>(run, sorted, config.radius, config.edge_limit);
            case 2: return edges_within<2>(run, sorted, config.radius, config.edge_limit);
            case 3: return edges_within<3>(run, sorted, config.radius, config.edge_limit);
            case 4: return edges_within<4>(run, sorted, config.radius, config.edge_limit);
            default: return edges_within<0>(run, sorted, config.radius, config.edge_limit);
        }
    };
    auto graph = edges();
    if (!graph || config.neighbour_limit == 0) return graph;
    return nearest_edges(run, points, *graph, config.neighbour_limit);
}

}  // namespace farm::tracking::twin
