#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace farm {

/// Hands out parts of a region of memory by their offsets; touches no memory itself.
///
/// Blocks begin at multiples of `granule_bytes` and are taken as low as they fit, so that the same
/// pages are used again while they are mapped and in caches. Neighbours that are free are one
/// block. A value, used by one thread; at most one entry for each hole.
class BlockAllocator {
  public:
    static constexpr std::uint64_t granule_bytes = 4096;

    explicit BlockAllocator(std::uint64_t region_bytes);

    /// The offset of a block of at least this size; nothing when none is free.
    std::optional<std::uint64_t> allocate(std::uint64_t size_bytes);
    /// Exactly what allocate() has given, with the size that was asked for.
    void free(std::uint64_t offset, std::uint64_t size_bytes);

    std::uint64_t used_bytes() const { return used_bytes_; }
    /// What a block of this size takes. Up to 2^64 - granule_bytes.
    static constexpr std::uint64_t rounded(std::uint64_t size_bytes) {
        const std::uint64_t least = size_bytes == 0 ? 1 : size_bytes;
        return (least + granule_bytes - 1) / granule_bytes * granule_bytes;
    }

  private:
    std::map<std::uint64_t, std::uint64_t> holes_;  ///< offset -> size
    std::uint64_t used_bytes_{0};
};

}  // namespace farm
