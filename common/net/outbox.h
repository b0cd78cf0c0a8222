#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/core/flat_map.h"
#include "common/net/context.h"
#include "common/net/router.h"
#include "common/wire/envelope.h"
#include "schemas/machine.h"

namespace farm {

/// What a loop wants to send in one round, joined into as few messages as the limits allow.
///
/// Items for one link and lane keep their order; nothing is kept from one round to the next. A
/// link whose sending failed is told once by flush(), and the rest for it is thrown away: its
/// session is over (rule 5). Owned by one loop, on its thread; writers are reused.
class Outbox {
  public:
    /// Messages taken from one socket before the other one and the clock get their turn.
    static constexpr int messages_per_turn = 256;
    /// Messages after which what they gave is sent, so that peers work while this loop does.
    static constexpr int messages_per_flush = 2;

    using SendFrames = std::function<SendResult(LinkId, Lane, std::span<const Buffer>)>;

    explicit Outbox(SendFrames send) : send_(std::move(send)) {}

    /// False when no message could ever carry this item (a list that is too long).
    bool add(LinkId link, Lane lane, const Message& message, const Payload* payload);

    /// Sends everything, and what is added while `tell(LinkLost)` hears of failed links.
    template <class Tell>
    void flush(const Tell& tell) {
        for (send_all(); !failed_.empty(); send_all()) {
            for (const LinkLost& lost : std::exchange(failed_, {})) tell(lost);
        }
    }
    /// Sends what waits for one link, before it is closed. Failures do not matter any more.
    void flush_link(LinkId link);

  private:
    struct Slot {
        LinkId link;
        Lane lane{Lane::control};
        std::optional<LinkLost::Cause> failure;
        EnvelopeWriter writer;
    };

    Slot& slot_for(LinkId link, Lane lane);
    void send(Slot& slot);
    void send_all();

    SendFrames send_;
    std::deque<Slot> slots_;  ///< the first `used_` belong to this round
    std::size_t used_{0};
    std::vector<LinkLost> failed_;
    FlatMap<LinkId, std::size_t> by_link_[2];  ///< [lane], of this round
};

}  // namespace farm
