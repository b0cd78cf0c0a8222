#include "gpu_worker/tracking/radius_graph.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>

#include "gpu_worker/tracking/box_tree.h"

namespace farm::tracking {

namespace {

constexpr std::size_t tiles_per_chunk = 32;

/// Neighbours of the points of some tiles, one point after another.
struct Chunk {
    std::vector<std::int32_t> neighbours;
};

/// Finds the rows of the graph, a row being the smaller neighbours of one point, and puts them in
/// their places. Chunks of tiles are independent of one another.
class GraphBuilder {
  public:
    GraphBuilder(const Points& points, const TileDistance& distance, std::size_t edge_limit)
        : tree_(points),
          distance_(distance),
          edge_limit_(edge_limit),
          chunks_((tree_.tile_count() + tiles_per_chunk - 1) / tiles_per_chunk),
          row_ends_(points.size()) {}

    /// False: there are more edges than the limit.
    bool find() {
        for_chunks([this](std::size_t chunk) { find_rows(chunk); });
        return edge_count_.load() <= edge_limit_;
    }

    Edges take() {
        std::inclusive_scan(row_ends_.begin(), row_ends_.end(), row_ends_.begin());
        const std::size_t count = edge_count_.load();
        Edges edges{std::vector<std::int32_t>(count), std::vector<std::int32_t>(count)};
        for_chunks([&](std::size_t chunk) { place_rows(chunk, edges); });
        return edges;
    }

  private:
    using Rows = std::array<std::vector<std::int32_t>, tile_width>;

    template <class Work>
    void for_chunks(const Work& work) const {
        oneapi::tbb::parallel_for(std::size_t{0}, chunks_.size(), work);
    }

    template <class Work>
    void for_tiles(std::size_t chunk, const Work& work) const {
        const std::size_t begin = chunk * tiles_per_chunk;
        const std::size_t end = std::min(begin + tiles_per_chunk, tree_.tile_count());
        for (std::size_t tile = begin; tile < end; ++tile) work(tile);
    }

    void find_rows(std::size_t chunk) {
        Rows rows;
        for_tiles(chunk, [&](std::size_t tile) {
            tree_.for_near_tiles(tile, distance_,
                                 [&](std::size_t other) { add_pairs(tile, other, rows); });
            keep_rows(tile, rows, chunks_[chunk].neighbours);
        });
    }

    void add_pairs(std::size_t tile, std::size_t other, Rows& rows) {
        if (edge_count_.load(std::memory_order_relaxed) > edge_limit_) return;
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

    void keep_rows(std::size_t tile, Rows& rows, std::vector<std::int32_t>& neighbours) {
        std::size_t count = 0;
        for (std::size_t point = 0; point < tile_width; ++point) {
            const std::int32_t id = tree_.point_ids(tile)[point];
            if (id < 0) continue;
            auto& row = rows[point];
            std::ranges::sort(row);
            neighbours.insert(neighbours.end(), row.begin(), row.end());
            row_ends_[static_cast<std::size_t>(id)] = row.size();
            count += row.size();
            row.clear();
        }
        edge_count_.fetch_add(count, std::memory_order_relaxed);
    }

    void place_rows(std::size_t chunk, Edges& edges) const {
        auto next = chunks_[chunk].neighbours.begin();
        for_tiles(chunk, [&](std::size_t tile) {
            for (std::size_t point = 0; point < tile_width; ++point) {
                const std::int32_t id = tree_.point_ids(tile)[point];
                if (id < 0) continue;
                const auto at = static_cast<std::size_t>(id);
                const std::size_t begin = at == 0 ? 0 : row_ends_[at - 1];
                const auto size = static_cast<std::ptrdiff_t>(row_ends_[at] - begin);
                std::copy_n(next, size, edges.target.begin() + static_cast<std::ptrdiff_t>(begin));
                std::fill_n(edges.source.begin() + static_cast<std::ptrdiff_t>(begin), size, id);
                next += size;
            }
        });
    }

    BoxTree tree_;
    TileDistance distance_;
    std::size_t edge_limit_;
    std::vector<Chunk> chunks_;
    std::vector<std::size_t> row_ends_;  ///< of each point: first the size of its row
    std::atomic<std::size_t> edge_count_{0};
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
    GraphBuilder builder(points, tile_distance(points.dimension_count, square), config.edge_limit);
    if (!builder.find()) {
        return fail(ErrorCode::too_large, "radius " + std::to_string(config.radius) +
                                              " joins more than " +
                                              std::to_string(config.edge_limit) + " pairs of " +
                                              std::to_string(points.size()) +
                                              " points (the limit of edges): use a smaller radius");
    }
    return builder.take();
}

}  // namespace farm::tracking
