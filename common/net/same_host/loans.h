#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/net/same_host/shared_region.h"
#include "common/wire/packet.h"

/// The two sides of what one peer's memory is lent to the other.
namespace farm {

/// What we have lent to one peer: keeps each Buffer until it is given back. Owned by one link.
class Loans {
  public:
    /// The number of the new loan.
    std::uint64_t add(Buffer lent);
    /// Errors (protocol): there is no such loan.
    Result<void> end(std::uint64_t loan);
    /// A part of it, which comes back to us in place. Errors (protocol): no such loan or part.
    Result<Buffer> part(const PacketFrame& frame) const;

    std::size_t count() const { return lent_.size(); }

  private:
    std::unordered_map<std::uint64_t, Buffer> lent_;
    std::uint64_t last_{0};
};

/// What one peer has lent to us: its regions, and Buffers that view its blocks in place. They may
/// be released on any thread, also after this object has gone; the rest is for one thread.
class Borrowings {
  public:
    /// While views of this many bytes are held, what comes is copied and given back at once.
    explicit Borrowings(std::uint64_t held_bytes_limit) : held_bytes_limit_(held_bytes_limit) {}

    /// Errors (protocol): the number is in use, or limits::region_count or shared_memory_bytes
    /// would be passed; (io): it cannot be mapped.
    Result<void> add_region(const RegionPacket& region, UniqueFd fd);
    Result<void> drop_region(std::uint32_t region);

    /// The bytes of a lent frame, in place. Errors (protocol): no such region, or not inside of it.
    Result<Buffer> view(const PacketFrame& frame);
    /// The same as a copy, that the peer cannot change.
    Result<Buffer> copy(const PacketFrame& frame);

    /// The loan that these bytes are a part of, as a frame of place `own`.
    std::optional<PacketFrame> find(Bytes bytes) const;

    /// Loans to give back, each once, `most` at a time.
    std::vector<std::uint64_t> take_returns(std::size_t most);
    bool has_returns() const;

  private:
    struct View {
        const std::byte* data{nullptr};
        std::size_t size{0};
        std::uint64_t loan{0};
    };
    /// Shared with the views.
    struct Ended {
        std::mutex mutex;
        std::vector<View> views;
        std::uint64_t held_bytes{0};

        /// Whether a view of this size may be held; then it counts.
        bool try_hold(std::size_t size, std::uint64_t limit);
        void add(const View& view);
    };
    struct EndView;

    Result<Bytes> bytes_of(const PacketFrame& frame) const;
    Buffer copied(Bytes bytes, std::uint64_t loan);

    std::uint64_t held_bytes_limit_;
    std::map<std::uint32_t, std::shared_ptr<PeerRegion>> regions_;
    std::uint64_t region_bytes_{0};
    std::multimap<const std::byte*, View> views_;  ///< also those that have ended since
    std::shared_ptr<Ended> ended_{std::make_shared<Ended>()};
};

}  // namespace farm
