#include "gpu_worker/tracking/box_tree.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_invoke.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

namespace farm::tracking {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::size_t parallel_split_count = 4096;  ///< points below which a split runs alone
constexpr std::size_t sample_count = 64;            ///< points that tell the widest dimension

/// Sorts points into tiles by median splits.
class TileOrder {
  public:
    TileOrder(const Points& points, std::span<std::int32_t> ids) : points_(points), ids_(ids) {}

    /// Splits at a power of two of tiles, so that each group of a level is a whole subtree.
    void split(std::size_t begin_tile, std::size_t end_tile) const {
        if (end_tile - begin_tile < 2) return;
        const std::size_t middle_tile = begin_tile + std::bit_ceil(end_tile - begin_tile) / 2;
        const std::size_t begin = begin_tile * tile_width;
        const std::size_t end = std::min(end_tile * tile_width, points_.size());
        halve(ids_.subspan(begin, end - begin), middle_tile * tile_width - begin);
        const auto lower = [&] { split(begin_tile, middle_tile); };
        const auto upper = [&] { split(middle_tile, end_tile); };
        if (end - begin < parallel_split_count) {
            lower();
            upper();
        } else {
            oneapi::tbb::parallel_invoke(lower, upper);
        }
    }

  private:
    float coordinate(std::int32_t id, std::size_t dimension) const {
        return points_.values[static_cast<std::size_t>(id) * points_.dimension_count + dimension];
    }

    void halve(std::span<std::int32_t> ids, std::size_t middle) const {
        const std::size_t dimension = widest_dimension(ids);
        std::nth_element(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(middle), ids.end(),
                         [&](std::int32_t a, std::int32_t b) {
                             return coordinate(a, dimension) < coordinate(b, dimension);
                         });
    }

    std::size_t widest_dimension(std::span<const std::int32_t> ids) const {
        const std::size_t step = std::max<std::size_t>(ids.size() / sample_count, 1);
        std::size_t widest = 0;
        float width = -1;
        for (std::size_t k = 0; k < points_.dimension_count; ++k) {
            float low = infinity;
            float high = -infinity;
            for (std::size_t i = 0; i < ids.size(); i += step) {
                low = std::min(low, coordinate(ids[i], k));
                high = std::max(high, coordinate(ids[i], k));
            }
            if (high - low > width) {
                widest = k;
                width = high - low;
            }
        }
        return widest;
    }

    const Points& points_;
    std::span<std::int32_t> ids_;
};

std::size_t groups_of(std::size_t count) { return (count + tile_width - 1) / tile_width; }

}  // namespace

BoxTree::BoxTree(const Points& points)
    : tile_count_(groups_of(points.size())),
      tile_floats_(points.dimension_count * tile_width),
      ids_(tile_count_ * tile_width, -1) {
    const auto ids = std::span(ids_).first(points.size());
    std::iota(ids.begin(), ids.end(), 0);
    TileOrder(points, ids).split(0, tile_count_);
    fill_tiles(points);
    levels_.push_back(level_of_tiles());
    while (levels_.back().group_count > tile_width) levels_.push_back(level_above(levels_.back()));
}

void BoxTree::search(const float* point, const TileDistance& distance, Search& search) const {
    search.tiles.resize(levels_.back().group_count);
    std::iota(search.tiles.begin(), search.tiles.end(), 0);
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
        std::swap(search.tiles, search.last);
        search.tiles.resize(search.last.size() * tile_width);
        search.tiles.resize(distance.near_boxes(distance, point, level->low.data(),
                                                level->high.data(), search.last,
                                                search.tiles.data()));
    }
    search.masks.resize(search.tiles.size());
    distance.near_points(distance, point, tiles_.data(), search.tiles, search.masks.data());
}

void BoxTree::fill_tiles(const Points& points) {
    tiles_.assign(tile_count_ * tile_floats_, std::numeric_limits<float>::quiet_NaN());
    oneapi::tbb::parallel_for(std::size_t{0}, tile_count_, [&](std::size_t tile) {
        for (std::size_t lane = 0; lane < tile_width; ++lane) {
            const std::int32_t id = ids_[tile * tile_width + lane];
            if (id < 0) continue;
            const auto row = points.row(static_cast<std::size_t>(id));
            float* column = &tiles_[tile * tile_floats_ + lane];
            for (std::size_t k = 0; k < row.size(); ++k) column[k * tile_width] = row[k];
        }
    });
}

BoxTree::Level BoxTree::level_of_tiles() const {
    Level level{groups_of(tile_count_), {}, {}};
    level.low.assign(level.group_count * tile_floats_, infinity);
    level.high.assign(level.group_count * tile_floats_, -infinity);
    oneapi::tbb::parallel_for(std::size_t{0}, tile_count_, [&](std::size_t index) {
        const std::size_t at = index / tile_width * tile_floats_ + index % tile_width;
        for (std::size_t k = 0; k < tile_floats_; k += tile_width) {
            for (std::size_t lane = 0; lane < tile_width; ++lane) {
                const float value = tile(index)[k + lane];  // NaN changes neither corner
                level.low[at + k] = value < level.low[at + k] ? value : level.low[at + k];
                level.high[at + k] = value > level.high[at + k] ? value : level.high[at + k];
            }
        }
    });
    return level;
}

BoxTree::Level BoxTree::level_above(const Level& below) const {
    Level level{groups_of(below.group_count), {}, {}};
    level.low.assign(level.group_count * tile_floats_, infinity);
    level.high.assign(level.group_count * tile_floats_, -infinity);
    for (std::size_t group = 0; group < below.group_count; ++group) {
        const std::size_t at = group / tile_width * tile_floats_ + group % tile_width;
        for (std::size_t k = 0; k < tile_floats_; k += tile_width) {
            const auto low = std::span(below.low).subspan(group * tile_floats_ + k, tile_width);
            const auto high = std::span(below.high).subspan(group * tile_floats_ + k, tile_width);
            level.low[at + k] = *std::ranges::min_element(low);
            level.high[at + k] = *std::ranges::max_element(high);
        }
    }
    return level;
}

}  // namespace farm::tracking
