#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/core/rate_estimate.h"
#include "broker/core/service_queue.h"
#include "common/core/clock.h"
#include "schemas/messages.h"

namespace farm {

struct Session;
struct WorkerService;

/// The calls that wait for one service name, and the workers that offer it.
/// A model is reachable under two names: "gnn" (highest version offered) and "gnn/3".
struct Service {
    /// Lives as long as the worker's session offers it.
    struct Offer {
        Session* owner{nullptr};
        WorkerService* service{nullptr};
    };

    std::string name;
    ServiceQueue queue;
    std::vector<Offer> offers;  ///< draining workers included; failed models are not
    TimePoint absent_since;     ///< when the last offer went; meaningful while there is none
};

/// One service of one worker: what it said, what it has, how fast it proved to be.
struct WorkerService {
    ServiceAd ad;
    Service* by_version{nullptr};  ///< both null for a model that did not load
    Service* by_model{nullptr};    ///< null when this is not the worker's latest version
    std::uint32_t window_count{0};
    std::uint32_t outstanding_count{0};
    std::uint32_t outstanding_rows{0};
    std::uint32_t leased_count{0};  ///< of the window, what clients may use directly
    std::uint64_t done_count{0};
    RateEstimate rate;
    TimePoint last_measured;     ///< when `rate` learned last
    std::uint32_t last_rows{1};  ///< of the run that it learned from
    TimePoint ejected_until;     ///< rule 8
    Duration ejection{0};        ///< length of the last one; doubles
    std::uint32_t probes{0};     ///< calls outstanding since it came back, until one ends ok

    bool ejected(TimePoint now) const { return now < ejected_until; }
    /// Calls that may still be sent, routed or leased.
    std::uint32_t room() const {
        const std::uint32_t taken = outstanding_count + leased_count;
        return window_count > taken ? window_count - taken : 0;
    }
    /// An estimate from long ago may be wrong, and a worker that looks slow gets no call that could
    /// correct it: an idle one is tried again when that costs it at most a twentieth of its time.
    bool wants_trial(TimePoint now) const;
    /// Device time of what it has, with `extra_rows` more rows joining.
    Duration backlog(std::uint32_t extra_rows) const;
};

/// A call that was sent to a worker and whose RESULT has not come. Counted against its window even
/// when the client has given up on it.
struct Outstanding {
    ServiceIndex service;
    std::uint32_t rows{1};
    std::uint64_t reserved_bytes{0};
    bool running{false};
    bool overdue{false};
    TimePoint started;
};

/// A part of the worker's window that a client uses without this broker (rule 13).
struct GrantedLease {
    PeerId client;
    ServiceIndex service;
    std::uint32_t request_count{0};
    std::uint64_t device_bytes{0};
    TimePoint until;
};

/// The broker's knowledge of one worker session. It is knowledge only: what the worker said and
/// what was sent to it. Owned by its Session.
struct Worker {
    std::map<ServiceIndex, WorkerService> services;
    std::unordered_map<CallKey, Outstanding> outstanding;
    std::unordered_set<CallId> streaming;  ///< answers whose chunks are under way
    std::vector<CallKey> running;          ///< as the last STARTED and BEAT named them
    std::uint64_t credit_sequence{0};
    std::uint64_t window_bytes{0};
    std::uint64_t outstanding_bytes{0};
    std::uint64_t result_sequence{0};        ///< latest RESULT received
    std::uint64_t acknowledged_sequence{0};  ///< as the last BEAT told it
    Duration foreign_backlog{0};
    std::unordered_map<std::uint64_t, GrantedLease> leases;  ///< by number
    std::uint64_t leased_bytes{0};
    Secret lease_key;
    std::string worker_key;
    std::uint64_t clock_ms{0};  ///< of the worker, at clock_read_at
    TimePoint clock_read_at;
    bool draining{false};
    std::uint64_t done_count{0};
    std::uint64_t failed_count{0};

    WorkerService* find(ServiceIndex index);
    std::uint64_t room_bytes() const {
        const std::uint64_t taken = outstanding_bytes + leased_bytes;
        return window_bytes > taken ? window_bytes - taken : 0;
    }
    void add_lease(std::uint64_t number, const GrantedLease& lease);
    void remove_lease(std::uint64_t number);
    void expire_leases(TimePoint now);
    Duration backlog() const;
    /// Forgets a call and gives back its room. False when it is not outstanding.
    bool release(const CallKey& key);
};

}  // namespace farm
