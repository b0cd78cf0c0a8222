#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "broker/core/routed_calls.h"
#include "broker/core/scheduling_policy.h"
#include "broker/core/service_queue.h"
#include "broker/core/session.h"
#include "broker/core/shared_ads.h"
#include "broker/core/worker.h"
#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/split_mix.h"
#include "common/core/timer_heap.h"
#include "schemas/machine.h"

namespace farm {

/// First sign of a new connection: who it is, as its key says. Comes before its first Received.
struct PeerAppeared {
    LinkId link;
    bool bulk{false};  ///< on the bulk socket: only ATTACH is expected there
    PeerRights rights;
};

/// Received on a bulk link names the link of the control socket once BindBulk has been carried out.
using BrokerInput = std::variant<Tick, PeerAppeared, LinkLost, Received, Malformed, DrainRequested>;

/// Drained: every session was told goodbye, the process may leave with exit code 0.
struct BrokerFinished {};

using BrokerEffect = std::variant<Transmit, CloseLink, DropPayload, BindBulk, BrokerFinished, Note>;
using BrokerEffects = std::vector<BrokerEffect>;

struct BrokerOptions {
    PeerId peer;
    std::uint64_t epoch{0};
    std::string name;
    std::string version;
    std::string bulk_url;  ///< "" : no bulk socket, large calls are refused
    Timing timing;
    BackOff back_off;  ///< of the peers, for the grace of rule 10
    Duration drain_timeout{std::chrono::seconds(30)};
    std::uint64_t queued_bytes{limits::queued_bytes};
    std::size_t queued_calls_per_service{limits::queued_calls_per_service_count};
    std::uint64_t seed{1};  ///< of bulk secrets: random in a program, fixed in a test
};

struct BrokerCounters {
    std::uint64_t accepted{0};
    std::uint64_t answered_ok{0};
    std::uint64_t answered_other{0};
    std::uint64_t refused{0};
    std::uint64_t cancelled{0};
    std::uint64_t workers_lost{0};
    std::uint64_t relayed_chunks{0};
};

/// The broker as a pure machine: who is there, what waits, and which worker gets what.
///
/// It decides admission, order, choice of worker (through the policy), liveness and the answers
/// that a broker itself gives. It leaves retries to the client (rule 4) and batching to the worker.
/// Owner: one loop, one thread. Time is an argument of step(). Bytes are PayloadIds.
/// Bounds: schemas/limits.h; every refusal is an answer, never a silent drop (rule 5).
/// A session lost takes its calls with it: a worker's end `lost`, a client's are cancelled.
class BrokerMachine {
  public:
    BrokerMachine(BrokerOptions options, std::unique_ptr<SchedulingPolicy> policy, TimePoint start);

    /// Takes the input over: what passes through leaves in an effect without being copied. Handling
    /// a small call allocates nothing once tables have their size.
    void step(BrokerInput input, TimePoint now, BrokerEffects& out);
    std::optional<TimePoint> next_deadline() const;

    const BrokerCounters& counters() const { return counters_; }
    /// What STATUS tells, whole. For metrics and tests.
    StatusReport report(TimePoint now) const;
    std::uint64_t queued_bytes() const { return queued_bytes_; }
    std::size_t open_call_count() const { return calls_.size(); }
    std::size_t session_count() const { return sessions_.size(); }

  private:
    /// What is left of `CALL` and `CANCEL` in the wrong order.
    struct Tombstones {
        FlatSet<CallId> ids;
        std::deque<CallId> order;
    };

    /// What calls through this broker take of an offer, and of its queue.
    struct RoutedUse {
        std::uint64_t queued_count{0};
        std::uint64_t running_count{0};
        std::uint64_t running_bytes{0};
    };

    // Inputs (broker_machine.cc).
    void on(const Tick&) {}
    void on(const PeerAppeared& input);
    void on(const LinkLost& input);
    void on(Received&& input);
    void on(const Malformed& input);
    void on(const DrainRequested&);

    // Sessions (broker_sessions.cc).
    void hello(LinkId link, const Hello& message);
    void welcome(Session& session, const Hello& message, bool resumed);
    void attach_bulk(LinkId link, const Attach& message);
    [[gnu::cold]] void refuse(LinkId link, RefusedReason reason, std::string detail);
    void detach(Session& session);
    void worker_changed(Session& session);
    void abort_streams(Session& session);
    void end_session(SessionId id, bool died, const std::string& why);
    void session_due(Session& session);
    void beat(Session& session);
    void arm(const Session& session);

    // Workers (broker_workers.cc).
    void advertise(Session& session, const Advertise& message);
    void withdraw(Session& session, const Withdraw& message);
    void remove_service(Session& session, ServiceIndex index);
    bool name_offer(Session& session, WorkerService& service);
    void last_offer_left(Service& service);
    void credit(Session& session, const Credit& message);
    void worker_beat(Session& session, const Beat& message);
    void started(Session& session, const Started& message);
    void check_overdue(Session& session);
    void worker_answer(Session& session, Answer&& message);
    void learn(WorkerService& service, const Answer& message);
    void eject(WorkerService& service);
    void resume_worker(Session& session, const Hello& message);
    void lose_worker_calls(Session& session, bool died);
    Service* service_named(const std::string& name);
    void serve_worker(Session& session);

    // Calls (broker_calls.cc).
    void client_call(Session& session, Call&& message);
    void enqueue(Session& session, Call&& message, Service& service);
    void dispatch(Service& service);
    bool dispatch_head(Service& service);
    const Offer* choose_offer(Service& service, const RoutedCall& call);
    bool can_take(const Offer& offer, const Service& service, const Call& call);
    void send_to_worker(RoutedCall& call, const Offer& offer);
    Duration expected_cost(const Service& service, const Call& call) const;
    std::optional<std::string> too_large_for_all(const Service& service, const Call& call) const;
    void answer_client(RoutedCall& call, Answer&& answer);
    void deliver(Session& client, Answer&& answer);
    void answer_without_running(RoutedCall& call, Outcome outcome, Reason reason,
                                std::string detail);
    [[gnu::cold]] void reject(Session& session, const Call& message, Outcome outcome, Reason reason,
                              std::string detail, std::uint32_t retry_after_ms = 0);
    void forget_call(RoutedCall& call);
    void unqueue(RoutedCall& call);
    void client_cancel(Session& session, CallId id);
    void cancel_at_worker(const RoutedCall& call);
    void call_expired(CallId id);
    void service_absent(const std::string& name);
    void client_send(Session& session, const Send& message);
    void worker_send(Session& session, const Send& message);
    void relay_chunk(Session& session, const Chunk& message);
    std::uint32_t retry_after_ms(const Service& service) const;
    std::uint64_t result_bytes(const Call& call, const ServiceAd& ad) const;

    // Direct path (broker_leases.cc).
    void resolve(Session& session, const Resolve& message);
    std::vector<Offer> leasable_offers(const Service& service, const Session& client,
                                       const std::string& host) const;
    void lease_returned(Session& worker, const Lease& message);
    std::optional<LeaseGrant> grant(const Session& client, const Service& service,
                                    const Offer& offer, const Resolve& message,
                                    std::uint32_t wanted_count);
    static GrantedLease lease_terms(const Offer& offer, const Resolve& message,
                                    std::uint32_t wanted_count, const GrantedLease& old,
                                    const RoutedUse& routed);
    LeaseGrant seal_lease(const Session& client, const Session& owner, const Resolve& message,
                          std::uint64_t number, GrantedLease lease);
    bool promise(const Session& client, const Service& service, std::span<const Offer> offers,
                 const Resolve& message);
    void keep_promises(Session& worker);
    static void withdraw_promise(const Offer& offer, const Session& client);
    RoutedUse use_by_others(const Session& client, const Service& service, const Offer& offer);

    // Looking (broker_report.cc).
    void list(Session& session, const List& message);
    void status(Session& session, const Status& message);
    void drain(Session& session, const Drain& message);
    void begin_drain();
    void drain_due();

    void transmit(LinkId link, Message&& message, bool release_payload = false);
    void transmit(Session& session, Message&& message, bool release_payload = false);
    void drop_payload(PayloadId payload);
    [[gnu::cold]] void note(NoteLevel level, std::string text);

    BrokerOptions options_;
    std::unique_ptr<SchedulingPolicy> policy_;
    TimePoint start_;
    TimePoint now_;
    BrokerEffects* out_{nullptr};

    WorkerLoads loads_;  ///< outlives the sessions
    SessionTable sessions_;
    FlatMap<LinkId, PeerAppeared> strangers_;  ///< connected, no HELLO or ATTACH yet
    std::unordered_map<std::string, Service> services_;
    RoutedCalls calls_;
    Tombstones cancelled_early_;
    std::uint64_t queued_bytes_{0};
    std::size_t queued_count_{0};  ///< calls in all queues
    SplitMix secrets_;
    std::uint64_t next_lease_;  ///< a restarted broker does not use the same numbers again
    BrokerCounters counters_;
    bool draining_{false};
    bool finished_{false};
    TimePoint drain_until_;

    TimerHeap<SessionId> session_timers_;
    TimerHeap<CallId> call_timers_;
    TimerHeap<std::string> absence_timers_;
    SharedAds ads_;
    std::vector<OfferTable::Place> hidden_;  ///< reused by choose_offer()
};

}  // namespace farm
