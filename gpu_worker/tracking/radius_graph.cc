#include "gpu_worker/tracking/radius_graph.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "gpu_worker/tracking/box_tree.h"
#include "gpu_worker/tracking/graph_rows.h"

namespace farm::tracking {

namespace {

constexpr std::size_t tiles_per_chunk = 32;

/// Finds the rows of the graph: chunks of tiles, independent of one another.
class RowSearch {
  public:
    RowSearch(const Points& points, float square_radius, std::size_t edge_limit)
        : tree_(points),
          distance_(tile_distance(points.dimension_count, square_radius)),
          chunk_count_((tree_.tile_count() + tiles_per_chunk - 1) / tiles_per_chunk),
          graph_(points.size(), chunk_count_, edge_limit) {}

    GraphRows& find() {
        oneapi::tbb::parallel_for(std::size_t{0}, chunk_count_,
                                  [this](std::size_t chunk) { find_chunk(chunk); });
        return graph_;
    }

  private:
    using Rows = std::array<std::vector<std::int32_t>, tile_width>;

    void find_chunk(std::size_t chunk) {
        const std::size_t begin = chunk * tiles_per_chunk;
        const std::size_t end = std::min(begin + tiles_per_chunk, tree_.tile_count());
        Rows rows;
        for (std::size_t tile = begin; tile < end; ++tile) {
            tree_.for_near_tiles(tile, distance_,
                                 [&](std::size_t other) { add_pairs(tile, other, rows); });
            for (std::size_t point = 0; point < tile_width; ++point) {
                graph_.add(chunk, tree_.point_ids(tile)[point], rows[point]);
            }
        }
    }

    void add_pairs(std::size_t tile, std::size_t other, Rows& rows) const {
        if (graph_.overflows()) return;
        const auto masks = distance_.near_points(distance_, tree_.tile(tile), tree_.tile(other));
        const std::int32_t* ids = tree_.point_ids(tile);
        const std::int32_t* other_ids = tree_.point_ids(other);
        for (std::size_t point = 0; point < tile_width; ++point) {
            for (unsigned mask = masks[point]; mask != 0; mask &= mask - 1) {
                const std::int32_t neighbour = other_ids[__builtin_ctz(mask)];
                if (neighbour < ids[point]) rows[point].push_back(neighbour);
            }
        }
    }

    BoxTree tree_;
    TileDistance distance_;
    std::size_t chunk_count_;
    GraphRows graph_;
};

}  // namespace

Result<Edges> radius_graph(const Points& points, const RadiusGraphConfig& config) {
    if (auto checked = check_points(points, "points of the radius graph"); !checked) {
        return tl::unexpected(checked.error());
    }
    const float square = config.radius * config.radius;
    if (!(config.radius > 0 && square > 0 && std::isfinite(square))) {
        return fail(ErrorCode::invalid, "radius is " + std::to_string(config.radius) +
                                            " (its square must be positive and finite): give for "
                                            "instance 0.1");
    }
    if (points.size() < 2) return Edges{};
    RowSearch search(points, square, config.edge_limit);
    GraphRows& graph = search.find();
    if (graph.overflows()) {
        return fail(ErrorCode::too_large, "radius " + std::to_string(config.radius) +
                                              " joins more than " +
                                              std::to_string(config.edge_limit) + " pairs of " +
                                              std::to_string(points.size()) +
                                              " points (the limit of edges): use a smaller radius");
    }
    return graph.take();
}

}  // namespace farm::tracking
