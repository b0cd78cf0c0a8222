#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "common/core/block_allocator.h"
#include "common/core/buffer.h"
#include "common/core/clock.h"
#include "common/net/same_host/shared_region.h"

namespace farm {

/// The shared memory that this process writes, for all its peers on this host.
///
/// Regions are made when they are needed; one of which nothing has been used for `idle_time` goes.
/// A block is free when the last Buffer of it goes, and whoever lends it to a peer keeps one.
/// Bounds: limits::region_count, limits::shared_memory_bytes. Any thread.
class SharedArena : public std::enable_shared_from_this<SharedArena> {
  public:
    static constexpr std::size_t region_bytes = 64 << 20;  ///< more for a larger block
    static constexpr Duration idle_time = std::chrono::seconds(10);

    struct Place {
        std::uint32_t region{0};
        std::uint64_t offset{0};
    };

    static std::shared_ptr<SharedArena> make();
    /// The one of this process: made by the first who asks, gone with the last user and block. A
    /// forked child gets another: both would write to the same memory.
    static std::shared_ptr<SharedArena> of_process();

    /// A page-aligned block, not initialised; it may outlive everybody else's interest in the
    /// arena. Nothing when a bound would be passed, or the system has no memory.
    std::optional<MutableBuffer> allocate(std::size_t size_bytes);

    /// Where these bytes lie; nothing when they are not of this arena.
    std::optional<Place> find(Bytes bytes) const;
    /// Null when there is none of this number (any more).
    std::shared_ptr<SharedRegion> region(std::uint32_t number) const;

    void drop_idle_regions(TimePoint now);
    /// How many regions have gone: tells whether something may have.
    std::uint64_t dropped_count() const;
    std::uint64_t used_bytes() const;
    std::size_t region_count() const;

  private:
    struct Region {
        std::shared_ptr<SharedRegion> memory;
        BlockAllocator blocks;
        TimePoint idle_since;
    };
    struct FreeBlock;

    SharedArena() = default;
    std::optional<MutableBuffer> take(std::uint32_t number, Region& region, std::size_t size_bytes);
    Region* add_region(std::size_t size_bytes);
    void free(const Place& place, std::size_t size_bytes);

    mutable std::mutex mutex_;
    std::map<std::uint32_t, Region> regions_;
    std::map<const std::byte*, std::uint32_t> by_address_;  ///< begin -> number
    std::uint32_t last_number_{0};
    std::uint64_t total_bytes_{0};
    std::uint64_t dropped_count_{0};
};

}  // namespace farm
