#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/split_mix.h"
#include "common/core/timer_heap.h"
#include "gpu_worker/core/broker_contact.h"
#include "gpu_worker/core/direct_clients.h"
#include "gpu_worker/core/held_calls.h"
#include "gpu_worker/core/hosted_service.h"
#include "gpu_worker/core/kept_results.h"
#include "gpu_worker/core/ran_calls.h"
#include "gpu_worker/core/reconnect_pause.h"
#include "gpu_worker/core/window_split.h"
#include "gpu_worker/core/worker_io.h"

namespace farm {

/// A worker: registers with every broker of its list, takes calls, forms runs, answers.
///
/// Decides: links and back-off, windows (credit), order and company of runs, deadlines, what is
/// kept and sent again, self-tests, drain. Leaves to the rim: bytes, sockets, devices, the
/// signature. Owner: one loop, one thread. Deterministic: the same inputs and seed give the same
/// effects.
///
/// Promises. Each CALL of a session gets exactly one RESULT in it, or, when the link breaks first,
/// in the session that resumes it. A (call, attempt) that is held is not run a second time: whoever
/// sends it again gets the same RESULT. One that has finished is answered from what is kept; when
/// that is gone it runs again if the service is idempotent, else it is answered `lost`.
/// A payload that came with an input is sent on, given to a run or dropped, once.
///
/// Bounds: windows bound the calls, limits::kept_result_* the results,
/// limits::services_per_worker_count the services. Input from outside that breaks a rule is refused
/// or ignored; only the rim's own mistakes (two results for a run) stop the process.
class WorkerMachine {
  public:
    explicit WorkerMachine(WorkerOptions options);

    void step(const WorkerInput& input, TimePoint now, WorkerEffects& out);
    /// When a Tick is due at the latest; nothing once finished.
    std::optional<TimePoint> next_deadline() const;

    /// Finished was said; what still comes is dropped.
    bool finished() const { return finished_; }
    bool draining() const { return draining_; }
    std::size_t held_call_count() const { return calls_.all().size(); }
    std::size_t kept_result_count() const { return kept_.size(); }
    std::size_t session_count() const;
    /// For tests and metrics; null when there is no such service.
    const HostedService* service(ServiceIndex index) const;

  private:
    using BrokerNumber = std::size_t;

    struct Run {
        ServiceIndex service;
        std::uint32_t instance{0};
        std::vector<CallKey> calls;
        std::uint32_t rows{0};
        Company::Mark started;
        BatchSizes::Choice choice;
        std::size_t trial_count{0};  ///< of its slices
        std::uint64_t shape_class{0};
    };

    /// Why a call is not taken.
    struct Refusal {
        Outcome outcome{Outcome::not_started};
        Reason reason{Reason::none};
        std::string detail;
        std::uint32_t retry_after_ms{0};
    };

    // Inputs.
    void on(const Tick&) {}
    void on(const LinkOpened& opened);
    void on(const LinkLost& lost);
    void on(const Received& received);
    void on(const CallArrived& arrived);
    void on(const RunFinished& finished);
    void on(const ModelReady& ready);
    void on(const SelfTestFinished& test);
    void on(const Malformed& malformed);
    void on(const DeviceSeen& seen) { device_use_ = seen.use; }
    void on(const DeviceLost& lost);
    void on(const DrainRequested&) { drain("asked to"); }

    // Messages of a broker; the rest is ignored.
    void on(BrokerNumber broker, const Welcome& welcome);
    void on(BrokerNumber broker, const Refused& refused);
    void on(BrokerNumber broker, const Attach& attach);
    void on(BrokerNumber broker, const Goodbye& goodbye);
    void on(BrokerNumber broker, const Beat& beat);
    void on(BrokerNumber broker, const Send& grant);
    void on(BrokerNumber broker, const Chunk& chunk);
    void on(BrokerNumber broker, const Cancel& cancel);
    void on(BrokerNumber broker, const Drain& drain);
    template <class Other>
    void on(BrokerNumber broker, const Other& message);

    // What is due, after every input (worker_machine.cc).
    void do_what_is_due();
    void expire_calls();
    void drain(const std::string& why);
    void leave_when_idle();
    void leave();
    void stop();
    void release_payloads();

    // Links (worker_links.cc).
    std::optional<BrokerNumber> broker_of(LinkId link) const;
    bool wants_link(BrokerNumber broker) const;
    void contact_due(BrokerNumber broker);
    void link_due(BrokerNumber broker);
    void open(BrokerNumber broker);
    void close(BrokerNumber broker, const std::string& why);
    void lose(BrokerNumber broker, const std::string& why);
    void end_session(BrokerNumber broker);
    void forget(BrokerNumber broker);
    void take_up(BrokerNumber broker, const Welcome& welcome);
    void answer_what_is_gone(BrokerNumber broker, const std::vector<CallKey>& known);
    Advertise advertisement(BrokerNumber broker, std::vector<ServiceAd> services) const;
    void advertise(BrokerNumber broker);
    std::vector<CallKey> open_keys(BrokerNumber broker) const;

    // Clients on the direct path (worker_direct.cc, worker_leases.cc).
    static bool is_direct(LinkId link) { return link.value >= first_listener_link; }
    void direct_message(LinkId link, const Message& message);
    void on(DirectClient& client, const Lease& lease);
    void on(DirectClient& client, const Send& grant);
    void on(DirectClient& client, const Cancel& cancel);
    void on(DirectClient& client, const Chunk& chunk);
    void on(DirectClient& client, const Goodbye& goodbye);
    void on(DirectClient&, const Beat&) {}
    template <class Other>
    void on(DirectClient& client, const Other& message);
    void greet(LinkId link, const Hello& hello);
    void attach(LinkId link, const Attach& attach);
    Result<LeaseKey> accept_lease(const DirectClient& client, const Lease& lease);
    void direct_call(LinkId link, const CallArrived& arrived);
    std::optional<Refusal> lease_refusal(DirectClient& client, const CallArrived& arrived);
    void answer_client(const HeldCall& call, KeptResult result);
    std::uint64_t most_whole_bytes(const HeldCall& call);
    void refuse_call(DirectClient& client, const Call& call, Refusal refusal);
    void end_stream(DirectClient& client, const CallKey& key);
    void leave_client(HeldCall& call);
    void end_direct(LinkId link, const std::string& why);
    void refuse_link(LinkId link, RefusedReason reason, std::string detail);
    void direct_due();
    void arm(const DirectClient& client);
    void bind(const LeaseKey& key, const Room& before);
    void orphan(const LeaseKey& key);
    void orphan_leases(BrokerNumber broker);
    void end_lease(const LeaseKey& key);
    void return_lease(const LeaseKey& key, PeerId client, const ServiceAd& ad);
    void return_leases(DirectClient& client);
    void expire_leases();

    // Credit and beats (worker_credit.cc).
    void plan_windows();
    void send_credit(BrokerNumber broker);
    void send_beat(BrokerNumber broker);
    std::uint64_t foreign_backlog_ns(BrokerNumber broker) const;
    void tell_curves();

    // Calls (worker_calls.cc).
    bool answer_again(BrokerNumber broker, const CallArrived& arrived);
    void ask_too(BrokerNumber broker, HeldCall& call, const CallArrived& arrived);
    std::optional<Refusal> refusal_of(const CallArrived& arrived) const;
    std::optional<Refusal> window_refusal(BrokerNumber broker, const CallArrived& arrived) const;
    HeldCall& hold(const CallArrived& arrived);
    void take_payload(HeldCall& call, const CallArrived& arrived);
    void take_chunk(HeldCall& call, const Chunk& chunk);
    void enqueue(HeldCall& call);
    void announce_grant(HeldCall& call);
    bool has_bulk(LinkId link);
    void stream(BrokerNumber broker, const CallKey& key);
    void add_asker(HeldCall& call, BrokerNumber broker);
    void remove_asker(HeldCall& call, BrokerNumber broker);
    void abort_intakes(BrokerNumber broker);
    /// The broker does not wait for it any more: it leaves, unless others wait or it runs.
    void unask(BrokerNumber broker, const CallKey& key);
    [[gnu::cold]] void refuse(BrokerNumber broker, const CallKey& key, bool repeatable,
                              Refusal refusal);
    [[gnu::cold]] void give_up(const CallKey& key, Refusal refusal);
    void conclude(HeldCall& call, KeptResult result);
    void discard(HeldCall& call);
    void keep_within_limits();

    // Runs (worker_runs.cc).
    void touch(ServiceIndex service);
    void serve(ServiceIndex index, HostedService& service);
    void start_run(ServiceIndex index, HostedService& service, std::uint32_t instance,
                   std::vector<CallKey> keys, const BatchSizes::Choice& choice);
    void learn(HostedService& service, const Run& run, const std::vector<SliceTime>& slices);
    void tell_started(const std::vector<CallKey>& keys);
    void conclude_run_call(HeldCall& call, const RunCallResult& result, const Timings& timings);
    void take_out_of_rotation(HostedService& service, const std::string& why);

    HostedService* find_service(ServiceIndex index);
    /// The message is made where it stays: moving one costs more than it seems.
    template <class M>
    void transmit(LinkId link, M&& message, bool release_payload = false) {
        out_->emplace_back(Transmit{link, std::forward<M>(message), release_payload});
    }
    template <class M>
    void transmit(BrokerNumber broker, M&& message, bool release_payload = false) {
        transmit(contacts_[broker].link, std::forward<M>(message), release_payload);
    }
    void drop_payload(PayloadId payload);
    [[gnu::cold]] void note(NoteLevel level, std::string text);

    WorkerOptions options_;
    ReconnectPause pause_;
    std::vector<BrokerContact> contacts_;  ///< by broker number = address
    std::map<ServiceIndex, HostedService> services_;
    HeldCalls calls_;
    KeptResults kept_;
    RanCalls ran_;
    WindowSplit bytes_;  ///< of the device
    DirectClients direct_;
    LeaseLedger leases_;
    SplitMix secrets_;
    FlatMap<RunId, Run> runs_;
    Company company_;  ///< of the runs on the device

    TimerHeap<ServiceIndex> service_timers_;  ///< batch delays and self-tests
    std::vector<ServiceIndex> touched_;       ///< services that may have a run to start
    bool plan_due_{false};
    std::size_t dropped_result_count_{0};  ///< since the last note about it
    TimePoint dropped_note_at_;

    DeviceUse device_use_;
    bool device_lost_{false};  ///< nothing is started any more
    bool draining_{false};
    bool finished_{false};
    std::optional<TimePoint>
        leave_at_;  ///< idle; results that are not acknowledged by then are given up
    std::uint64_t next_link_{1};
    std::uint64_t next_run_{1};

    // The step under way.
    TimePoint now_;
    WorkerEffects* out_{nullptr};
};

}  // namespace farm
