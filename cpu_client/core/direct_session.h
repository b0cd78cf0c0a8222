#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "common/core/clock.h"
#include "cpu_client/core/broker_session.h"
#include "schemas/messages.h"

namespace farm {

/// A lease at one worker, as far as this client uses it.
struct HeldLease {
    LeaseGrant grant;
    TimePoint until;
    std::uint64_t call_bytes{0};        ///< inputs of the largest call that it was asked for
    std::uint64_t max_result_bytes{0};  ///< of these calls; 0: as the signature says
    bool accepted{false};               ///< the worker said so
    std::uint32_t in_flight{0};
    TimePoint moved;  ///< when a call under it ended last, or it was accepted

    bool is_valid(TimePoint now) const { return accepted && now < until; }
    bool has_room() const { return in_flight < grant.request_count; }
    /// Every call gets the same part of the lease's bytes.
    bool fits(std::uint64_t input_bytes, std::uint64_t result_bytes) const {
        if (result_bytes == 0) return max_result_bytes == 0 && input_bytes <= call_bytes;
        return input_bytes + result_bytes <= grant.device_bytes / grant.request_count;
    }
};

/// How a worker may be called: within this host, by the name of its socket, or by an address.
struct DirectWay {
    std::string address;
    bool same_host{false};
};

/// What a client knows of one worker that it may call without a broker.
struct DirectSession {
    enum class Phase : std::uint8_t {
        connecting,  ///< OpenDirect is out, HELLO is not; given up at `until`
        greeting,    ///< HELLO is out; given up at `until`
        open,        ///< WELCOME has come
    };
    /// A call that the worker has on its books until its RESULT comes, wanted or not.
    struct Use {
        std::string service;
        TimePoint sent_at;
    };

    LinkId link;
    std::string url;  ///< DirectWay::address
    Phase phase{Phase::connecting};
    TimePoint until;

    // While open.
    Welcome welcome;
    TimePoint heard;
    TimePoint next_beat;
    BrokerSession::Bulk bulk{BrokerSession::Bulk::none};
    TimePoint bulk_until;
    bool leaving{false};  ///< the worker takes no more

    std::map<std::string, HeldLease, std::less<>> leases;  ///< by service, as in CALL
    std::unordered_map<CallKey, Use> uses;
    std::unordered_set<CallKey> started;  ///< of these, those whose run has begun
    TimePoint leased_until;               ///< the latest end of a lease
    Duration latency{0};                  ///< moving mean; 0 while nothing has come back

    bool is_open() const { return phase == Phase::open; }
    TimePoint silent_at() const { return heard + welcome.timing.lost_after(); }
    std::optional<TimePoint> next_deadline() const {
        if (!is_open()) return until;
        std::optional<TimePoint> next = std::min(next_beat, silent_at());
        if (bulk == BrokerSession::Bulk::opening) next = earliest(next, bulk_until);
        for (const auto& [service, lease] : leases) next = earliest(next, lease.until);
        return next;
    }
    /// When a call that is sent now should come back, as far as one can know.
    Duration expected_wait() const { return latency * static_cast<std::int64_t>(uses.size() + 1); }
};

}  // namespace farm
