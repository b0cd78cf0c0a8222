#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/tile_distance.h"

namespace farm::tracking {

/// Points sorted so that near ones share a tile, with the bounding boxes of the tiles, of eight
/// tiles each, of eight of those, and so on: an R-tree whose structure is the order alone.
///
/// Median splits along the widest dimension put tight clusters, as trained embeddings make them,
/// into boxes of their own, in all dimensions. Immutable; search from any thread.
class BoxTree {
  public:
    /// Of checked points; works on as many threads as oneTBB has.
    explicit BoxTree(const Points& points);

    std::size_t tile_count() const { return tile_count_; }
    /// Coordinates of a tile's points, transposed; places without a point are NaN.
    const float* tile(std::size_t index) const { return &tiles_[index * tile_floats_]; }
    /// Numbers of a tile's points; -1 for a place without a point.
    const std::int32_t* point_ids(std::size_t index) const { return &ids_[index * tile_width]; }

    /// Calls visit(tile) for every tile whose box is within the limit of this one's.
    template <class Visit>
    void for_near_tiles(std::size_t tile, const TileDistance& distance, const Visit& visit) const {
        const Box box = box_of(tile);
        const std::size_t top = levels_.size() - 1;
        for (std::size_t group = 0; group < levels_[top].group_count; ++group) {
            visit_group(top, group, box, distance, visit);
        }
    }

  private:
    /// Boxes in tiles of eight: of point tiles at level 0, else of the groups of the level below.
    struct Level {
        std::size_t group_count{0};
        std::vector<float> low, high;
    };
    struct Box {
        const float* low;
        const float* high;
    };

    Box box_of(std::size_t tile) const {
        const std::size_t at = tile / tile_width * tile_floats_ + tile % tile_width;
        return {&levels_[0].low[at], &levels_[0].high[at]};
    }

    template <class Visit>
    void visit_group(std::size_t level, std::size_t group, const Box& box,
                     const TileDistance& distance, const Visit& visit) const {
        const float* low = &levels_[level].low[group * tile_floats_];
        const float* high = &levels_[level].high[group * tile_floats_];
        unsigned mask = distance.near_boxes(distance, box.low, box.high, low, high);
        for (; mask != 0; mask &= mask - 1) {
            const std::size_t child =
                group * tile_width + static_cast<std::size_t>(__builtin_ctz(mask));
            if (level == 0) {
                visit(child);
            } else {
                visit_group(level - 1, child, box, distance, visit);
            }
        }
    }

    void fill_tiles(const Points& points);
    Level level_of_tiles() const;
    Level level_above(const Level& below) const;

    std::size_t tile_count_;
    std::size_t tile_floats_;  ///< of one tile: coordinates of eight points
    std::vector<std::int32_t> ids_;
    std::vector<float> tiles_;
    std::vector<Level> levels_;
};

}  // namespace farm::tracking
