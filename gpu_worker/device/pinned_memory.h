#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/core/buffer.h"

namespace farm {

/// Page-locked host memory, which a device reads and writes by itself while the CPU goes on: blocks
/// of some size classes, taken from the system once and used again and again, because locking pages
/// costs more than copying them.
///
/// What is smaller than `smallest_bytes`, does not fit below the limit, or is refused by the system
/// is ordinary memory instead, which every copy takes, too. Thread-safe: blocks come back from
/// whichever thread lets go of them last. They keep their PinnedMemory alive.
class PinnedMemory : public std::enable_shared_from_this<PinnedMemory> {
  public:
    /// Where blocks come from. take() gives 64-byte aligned memory, or null when there is none;
    /// neither throws. Both are called by one thread at a time.
    class Source {
      public:
        virtual ~Source() = default;
        virtual std::byte* take(std::size_t bytes) = 0;
        virtual void give_back(std::byte* block) = 0;
    };
    struct Counts {
        std::uint64_t held_bytes{0};     ///< of the system's, in use or not
        std::uint64_t in_use_bytes{0};   ///< of these
        std::uint64_t refused_count{0};  ///< blocks that had to be ordinary memory
    };

    /// Drivers copy less than this by themselves without waiting.
    static constexpr std::size_t smallest_bytes = 64 * 1024;

    static std::shared_ptr<PinnedMemory> make(std::unique_ptr<Source> source,
                                              std::uint64_t limit_bytes);
    ~PinnedMemory();
    PinnedMemory(const PinnedMemory&) = delete;
    PinnedMemory& operator=(const PinnedMemory&) = delete;

    /// Uninitialised, 64-byte aligned. Throws std::bad_alloc when there is no ordinary memory.
    MutableBuffer allocate(std::size_t size);
    Counts counts() const;

    /// What a block of this size takes: at most a quarter more.
    static std::size_t class_bytes(std::size_t size);

  private:
    struct Block {
        std::size_t bytes{0};
        std::byte* data{nullptr};
    };
    struct GiveBack {
        std::shared_ptr<PinnedMemory> memory;
        std::size_t bytes{0};
        void operator()(std::byte* data) const { memory->give_back({bytes, data}); }
    };

    PinnedMemory(std::unique_ptr<Source> source, std::uint64_t limit_bytes)
        : source_(std::move(source)), limit_bytes_(limit_bytes) {}

    std::byte* take(std::size_t bytes);
    std::byte* take_free(std::size_t bytes);
    std::byte* take_new(std::size_t bytes);
    std::vector<Block> make_room(std::size_t bytes);
    void give_back(Block block);

    const std::unique_ptr<Source> source_;
    std::mutex source_mutex_;  ///< locked before mutex_
    const std::uint64_t limit_bytes_;
    mutable std::mutex mutex_;
    std::vector<Block> free_;  ///< that was freed last is last; has room for every block
    std::size_t block_count_{0};
    Counts counts_;
};

/// In this memory; in ordinary memory where it is null.
Allocate allocate_in(std::shared_ptr<PinnedMemory> pinned);

/// Of the CUDA device, for all of its contexts. Null in a build without CUDA.
std::shared_ptr<PinnedMemory> make_cuda_pinned_memory(int device_index, std::uint64_t limit_bytes);

}  // namespace farm
