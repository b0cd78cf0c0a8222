#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "common/net/context.h"
#include "common/net/router.h"
#include "common/wire/envelope.h"

namespace farm {

/// What a loop wants to send in one round, joined into as few messages as the limits allow.
///
/// Items for one link and lane keep their order; nothing is kept from one round to the next. A
/// failed send is reported once per link by flush(), and the rest for that link is thrown away: its
/// session is over (rule 5). Owned by one loop, on its thread; writers are reused.
class Outbox {
  public:
    using SendFrames = std::function<SendResult(LinkId, Lane, std::span<const Buffer>)>;

    explicit Outbox(SendFrames send) : send_(std::move(send)) {}

    /// False when no message could ever carry this item (a list that is too long).
    bool add(LinkId link, Lane lane, const Message& message, const Payload* payload);

    /// Sends everything and appends the links whose sending failed to `failed`.
    void flush(std::vector<LinkId>& failed);
    /// Sends what waits for one link, before it is closed. Failures do not matter any more.
    void flush_link(LinkId link);

  private:
    struct Slot {
        LinkId link;
        Lane lane{Lane::control};
        bool failed{false};
        EnvelopeWriter writer;
    };

    Slot& slot_for(LinkId link, Lane lane);
    void send(Slot& slot);

    SendFrames send_;
    std::deque<Slot> slots_;  ///< the first `used_` belong to this round
    std::size_t used_{0};
    std::unordered_map<LinkId, std::size_t> by_link_[2];
};

}  // namespace farm
