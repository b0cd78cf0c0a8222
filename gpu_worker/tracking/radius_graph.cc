#include "gpu_worker/tracking/radius_graph.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "gpu_worker/tracking/box_tree.h"
#include "gpu_worker/tracking/graph_rows.h"
#include "gpu_worker/tracking/nearest_edges.h"

namespace farm::tracking {

namespace {

constexpr std::size_t tiles_per_chunk = 32;

/// Finds the rows of the graph: chunks of tiles, independent of one another.
class RowSearch {
  public:
    RowSearch(const Points& points, float square_radius, std::size_t edge_limit)
        : points_(points),
          tree_(points),
          distance_(tile_distance(points.dimension_count, square_radius)),
          chunk_count_((tree_.tile_count() + tiles_per_chunk - 1) / tiles_per_chunk),
          graph_(points.size(), chunk_count_, edge_limit) {}

    GraphRows& find() {
        oneapi::tbb::parallel_for(std::size_t{0}, chunk_count_,
                                  [this](std::size_t chunk) { find_chunk(chunk); });
        return graph_;
    }

  private:
    void find_chunk(std::size_t chunk) {
        const std::size_t begin = chunk * tiles_per_chunk * tile_width;
        const std::size_t end =
            std::min(begin + tiles_per_chunk * tile_width, tree_.tile_count() * tile_width);
        BoxTree::Search search;
        std::vector<std::int32_t> row;
        for (std::size_t place = begin; place < end && !graph_.overflows(); ++place) {
            const std::int32_t id = tree_.point_ids(place / tile_width)[place % tile_width];
            if (id < 0) continue;
            find_row(id, search, row);
            graph_.add(chunk, id, row);
        }
    }

    void find_row(std::int32_t id, BoxTree::Search& search, std::vector<std::int32_t>& row) const {
        tree_.search(points_.row(static_cast<std::size_t>(id)).data(), distance_, search);
        for (std::size_t i = 0; i < search.tiles.size(); ++i) {
            const std::int32_t* ids = tree_.point_ids(static_cast<std::size_t>(search.tiles[i]));
            for (unsigned mask = search.masks[i]; mask != 0; mask &= mask - 1) {
                const std::int32_t other = ids[__builtin_ctz(mask)];
                if (other < id) row.push_back(other);
            }
        }
    }

    const Points& points_;
    BoxTree tree_;
    TileDistance distance_;
    std::size_t chunk_count_;
    GraphRows graph_;
};

}  // namespace

Result<void> check_radius(float radius) {
    const float square = radius * radius;
    if (radius > 0 && square > 0 && std::isfinite(square)) return {};
    return fail(ErrorCode::invalid, "radius is " + std::to_string(radius) +
                                        " (its square must be positive and finite): give for "
                                        "instance 0.1");
}

tl::unexpected<Error> too_many_edges(float radius, std::size_t edge_limit,
                                     std::size_t point_count) {
    return fail(ErrorCode::too_large, "radius " + std::to_string(radius) + " joins more than " +
                                          std::to_string(edge_limit) + " pairs of " +
                                          std::to_string(point_count) +
                                          " points (the limit of edges): use a smaller radius");
}

Result<Edges> radius_graph(const Points& points, const RadiusGraphConfig& config) {
    if (auto checked = check_points(points, "points of the radius graph"); !checked) {
        return tl::unexpected(checked.error());
    }
    if (auto checked = check_radius(config.radius); !checked) {
        return tl::unexpected(checked.error());
    }
    if (points.size() < 2) return Edges{};
    RowSearch search(points, config.radius * config.radius, config.edge_limit);
    GraphRows& graph = search.find();
    if (graph.overflows()) return too_many_edges(config.radius, config.edge_limit, points.size());
    Edges edges = graph.take();
    if (config.neighbour_limit == 0) return edges;
    return nearest_edges(points, edges, config.neighbour_limit);
}

}  // namespace farm::tracking
