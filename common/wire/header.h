#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "schemas/messages.h"

/// Frame 0: protocol items as msgpack; schemas/wire.md has the layout. This is the adapter of
/// msgpack-cxx: none of its types or exceptions leave common/wire.
namespace farm {

/// Reads the header at the beginning of frame 0 into `items` (which is emptied first) and returns
/// its size; behind it there may be bodies. Checks every limit of wire.md before anything is
/// allocated for it; keeps nothing of `frame`. Error (protocol) names verb, field, value and limit.
/// Members marked [rim] stay empty. Any thread: the scratch memory (at most 1 MiB) belongs to the
/// calling thread.
Result<std::size_t> decode_header(Bytes frame, std::vector<Message>& items);

/// Version number of what looks like frame 0 of any version of this protocol: tells a peer of
/// another version (answer REFUSED protocol_version) from one that talks something else.
std::optional<std::uint16_t> header_version(Bytes frame);

/// Collects items of one message up to limits::header_bytes and limits::item_count.
///
/// Does not check what a peer would refuse, with one exception: text that is meant for people
/// (details, failures, device names) is cut to its limit and made valid UTF-8, so that no foreign
/// error text can end a session. Reusable after clear(), without allocation.
class HeaderWriter {
  public:
    HeaderWriter();

    /// False, and nothing changed, when the item would pass a limit. An item that does not fit an
    /// empty writer never will: see fits_alone().
    bool try_add(const Message& message);

    std::size_t item_count() const { return item_count_; }
    /// Of the header that finish() gives, or one or two more.
    std::size_t size_bytes() const { return bytes_.size(); }
    bool empty() const { return item_count_ == 0; }

    /// Frame 0, with these bodies behind the header; valid until the next call of clear(), before
    /// which nothing can be added.
    Bytes finish(std::span<const Buffer> bodies = {});
    void clear();

  private:
    std::string bytes_;
    std::size_t item_count_{0};
};

/// Whether a message of its own can carry this item. Only lists can be too long: open calls,
/// services with huge signatures, pages of CATALOG and REPORT.
bool fits_alone(const Message& message);

}  // namespace farm
