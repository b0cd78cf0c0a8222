#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/tile_distance.h"

namespace farm::tracking {

/// Points sorted so that near ones share a tile, with the bounding boxes of the tiles, of eight
/// tiles each, of eight of those, and so on: an R-tree whose structure is the order alone.
///
/// A search begins at a point and not at a tile: in many dimensions the box of even eight points is
/// so wide that six times as many tiles are near it.
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

    /// What a search remembers, to be used again by the next; of one thread.
    struct Search {
        std::vector<std::int32_t> tiles;  ///< found: those whose boxes are within the limit
        std::vector<std::int32_t> last;   ///< of the level above
        std::vector<LaneMask> masks;      ///< which points of them are within the limit
    };

    /// Fills `search` for a point, whose coordinates are contiguous.
    void search(const float* point, const TileDistance& distance, Search& search) const;

  private:
    /// Boxes in tiles of eight: of point tiles at level 0, else of the groups of the level below.
    struct Level {
        std::size_t group_count{0};
        std::vector<float> low, high;
    };

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
