#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/offer_table.h"
#include "broker/core/rate_estimate.h"
#include "broker/core/service_queue.h"
#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "schemas/messages.h"

namespace farm {

/// The calls that wait for one service name, and the workers that offer it.
/// A model is reachable under two names: "gnn" (highest version offered) and "gnn/3".
struct Service {
    /// What stands behind a bare name: a version, and how many call it their latest.
    struct Version {
        Service* service{nullptr};
        std::size_t latest_count{0};
    };

    std::string name;
    ServiceQueue queue;
    OfferTable offers;  ///< of a versioned name; draining workers included, failed models are not
    std::map<std::uint32_t, Version> versions;  ///< of a bare name
    TimePoint absent_since;  ///< when the last offer went; meaningful while there is none

    /// The offers that calls of this name may go to; null when there are none. Those behind a bare
    /// name count only where ServiceAd::latest says so.
    OfferTable* table() {
        if (!versions.empty()) return &versions.rbegin()->second.service->offers;
        return offers.empty() ? nullptr : &offers;
    }
    const OfferTable* table() const { return const_cast<Service*>(this)->table(); }
};

/// One service of one worker: what it said, what it has, how fast it proved to be.
struct WorkerService {
    /// Whether it may take calls, and until when that holds if nothing happens to it.
    struct Readiness {
        enum class State : std::uint8_t { closed, open, on_trial };
        State state{State::closed};
        TimePoint until{TimePoint::max()};
    };

    /// How many rows still join the run that is forming, and the time that a call with more of them
    /// costs for each that it begins besides.
    struct FormingRun {
        std::uint32_t rows_to_full{UINT32_MAX};
        std::uint32_t full_rows{UINT32_MAX};
        double new_run_ns{0};

        std::uint32_t new_runs(std::uint32_t rows) const {
            return rows > rows_to_full ? 1 + (rows - rows_to_full - 1) / full_rows : 0;
        }
    };

    Service* by_version{nullptr};         ///< null for a model that did not load
    Service* by_model{nullptr};           ///< null when this is not the worker's latest version
    OfferTable::Place place{0};           ///< in by_version->offers
    ServiceIndex index;                   ///< the worker's own number for it
    std::shared_ptr<const ServiceAd> ad;  ///< without index, cost and direct_url, see SharedAds
    std::string direct_url;
    std::uint32_t window_count{0};
    std::uint32_t outstanding_count{0};
    std::uint32_t outstanding_rows{0};
    std::uint32_t leased_count{0};  ///< of the window, what clients may use directly
    std::uint32_t last_rows{1};     ///< of the run that `rate` learned from
    std::uint64_t done_count{0};
    RateEstimate rate;
    Duration counted_backlog{0};  ///< its share of Worker::own_backlog
    TimePoint last_measured;      ///< when `rate` learned last
    TimePoint ejected_until;      ///< rule 8
    Duration ejection{0};         ///< length of the last one; doubles
    std::uint32_t probes{0};      ///< calls outstanding since it came back, until one ends ok

    bool ejected(TimePoint now) const { return now < ejected_until; }
    /// Calls that may still be sent, routed or leased.
    std::uint32_t room() const {
        const std::uint32_t taken = outstanding_count + leased_count;
        return window_count > taken ? window_count - taken : 0;
    }
    Readiness readiness(TimePoint now) const;
    /// Device time of what it has, with `extra_rows` more rows joining, in nanoseconds.
    double backlog_ns(std::uint32_t extra_rows) const;
    Duration backlog(std::uint32_t extra_rows) const { return duration_of(backlog_ns(extra_rows)); }
    /// What a call of `rows` rows adds to counted_backlog, and a nanosecond for each call that is
    /// there: between equal workers the emptier one is preferred.
    double extra_ns(std::uint32_t rows) const {
        return backlog_ns(rows) - static_cast<double>(counted_backlog.count()) + outstanding_count;
    }
    FormingRun forming_run() const;
    /// As the worker said it, its cost as far as it is known.
    ServiceAd whole_ad() const;

  private:
    TimePoint next_trial() const;
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

/// A lease that is on the books and not told yet: calls must end before its room is whole.
struct LeasePromise {
    std::uint64_t lease{0};
    SessionId client;
    Resolve ask;
};

/// The broker's knowledge of one worker session. It is knowledge only: what the worker said and
/// what was sent to it. Owned by its Session.
struct Worker {
    explicit Worker(WorkerLoads& loads) : loads_(loads), load_(loads.take()) {}
    ~Worker() {
        *load_ = {};
        loads_.give_back(load_);
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    std::vector<std::unique_ptr<WorkerService>> services;  ///< ascending in index
    FlatMap<CallKey, Outstanding> outstanding;
    FlatSet<CallId> streaming;     ///< answers whose chunks are under way
    std::vector<CallKey> running;  ///< as the last STARTED and BEAT named them
    std::uint64_t credit_sequence{0};
    std::uint64_t window_bytes{0};
    std::uint64_t outstanding_bytes{0};
    std::uint64_t result_sequence{0};        ///< latest RESULT received
    std::uint64_t acknowledged_sequence{0};  ///< as the last BEAT told it
    Duration foreign_backlog{0};
    DeviceUse device;                             ///< as its last BEAT said
    FlatMap<std::uint64_t, GrantedLease> leases;  ///< by number
    std::uint64_t leased_bytes{0};
    std::vector<LeasePromise> promises;
    Secret lease_key;
    std::string worker_key;
    std::string same_host;      ///< schemas/same_host.h
    std::uint64_t clock_ms{0};  ///< of the worker, at clock_read_at
    TimePoint clock_read_at;
    Duration own_backlog{0};     ///< of all services
    bool open{false};            ///< attached, not draining, heard of lately
    bool streams{false};         ///< has a bulk socket
    int bounded_offer_count{0};  ///< in tables that must hear when `load` falls
    std::uint64_t done_count{0};
    std::uint64_t failed_count{0};

    WorkerService* find(ServiceIndex index);
    /// Makes or replaces a service.
    WorkerService& add(ServiceIndex index);
    void remove(ServiceIndex index);

    Duration backlog() const { return foreign_backlog + own_backlog; }
    std::uint64_t room_bytes() const {
        const std::uint64_t taken = outstanding_bytes + leased_bytes;
        return window_bytes > taken ? window_bytes - taken : 0;
    }
    /// Whether what was sent and what was leased fits into the windows.
    bool holds_leases_of(ServiceIndex index);
    void charge(WorkerService& service, const CallKey& key, std::uint32_t rows,
                std::uint64_t reserved_bytes);
    /// Forgets a call and gives back its room; its service, or none when it is not offered any
    /// more. Requires that the call is outstanding.
    WorkerService* release(const CallKey& key);
    void add_lease(std::uint64_t number, const GrantedLease& lease);
    void remove_lease(std::uint64_t number);
    void expire_leases(TimePoint now);

    // The offer tables must hear of every change: of one service (and with it of the worker's
    // load), or of the worker as a whole (windows, leases, sessions, foreign load).
    void service_changed(WorkerService& service, TimePoint now);
    void changed(TimePoint now);
    const WorkerLoad* load() const { return load_; }

  private:
    void tell_load();

    WorkerLoads& loads_;
    WorkerLoad* load_;
};

}  // namespace farm
