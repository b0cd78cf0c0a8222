#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "common/core/clock.h"
#include "common/core/timer_heap.h"
#include "common/core/transfer.h"
#include "gpu_worker/core/lease_ledger.h"
#include "schemas/messages.h"

namespace farm {

/// A client that is connected to this worker (direct path).
struct DirectClient {
    /// A large answer on its way to the client; owns its payload.
    struct Stream {
        OutgoingTransfer transfer;
        PayloadId payload;
    };

    LinkId link;
    SessionId id;
    PeerId peer;
    std::string name;
    Secret secret;
    bool bulk_attached{false};
    TimePoint last_heard;
    TimePoint last_leased;                    ///< it had a lease or a call then
    std::map<ServiceIndex, LeaseKey> leases;  ///< that it calls under
    std::unordered_set<CallKey> calls;        ///< held, and to be answered here
    std::map<CallKey, Stream> streams;

    bool is_idle() const { return leases.empty() && calls.empty() && streams.empty(); }
};

/// All direct sessions, by link and by peer, with the times at which each wants attention.
/// It keeps them in step and decides nothing. Bounded by its owner. A value, used by one thread.
class DirectClients {
  public:
    DirectClient& add(LinkId link, PeerId peer);
    DirectClient* by_link(LinkId link);
    DirectClient* by_peer(PeerId peer);
    DirectClient* by_id(SessionId id);
    void remove(LinkId link);

    void set_timer(LinkId link, TimePoint when) { timers_.set(link, when); }
    std::optional<LinkId> pop_due(TimePoint now) { return timers_.pop_due(now); }
    std::optional<TimePoint> next_deadline() const { return timers_.next(); }

    std::size_t size() const { return sessions_.size(); }
    std::uint64_t streaming_bytes() const;
    bool has_streams() const;
    auto begin() { return sessions_.begin(); }
    auto end() { return sessions_.end(); }

  private:
    std::map<LinkId, DirectClient> sessions_;
    std::unordered_map<PeerId, LinkId> by_peer_;
    TimerHeap<LinkId> timers_;
    std::uint64_t next_{1};
};

}  // namespace farm
