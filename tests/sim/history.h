#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "schemas/call_status.h"
#include "schemas/machine.h"
#include "tests/sim/network.h"
#include "tests/sim/verdict.h"

namespace farm::sim {

/// What the workload asked for and what it therefore must see.
struct PlannedCall {
    CallId id;
    std::string service;
    bool idempotent{true};
    bool is_poison{false};  ///< kills every worker that runs it
    bool is_bad{false};     ///< breaks the signature
    bool is_too_large{false};
    bool must_be_ok{false};  ///< a healthy farm, or the probes after all faults
    TimePoint submitted;
    TimePoint deadline;
    NodeId client{0};
};

/// A session as an onlooker sees it: on one life of one broker, by its number.
struct SessionKey {
    NodeId broker{0};
    int broker_life{0};
    SessionId session;
    friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

/// Watches what crosses the machines' borders and compares it with the rules of design, section 5.
/// It knows the protocol and what the workload planned; it shares no code with the machines.
class History {
  public:
    History(Verdict& verdict, Scheduler& clock, Timing timing, BackOff back_off)
        : verdict_(verdict), clock_(clock), timing_(timing), back_off_(back_off) {}

    // ---- the workload
    void submitted(const PlannedCall& call);
    void cancelled(const CallId& call) { calls_[call].was_cancelled = true; }
    void client_died(NodeId client);
    /// A stopped process keeps no promise of time while it is stopped.
    void hung(NodeId node, TimePoint until) { hung_until_[node] = until; }
    void completed(const CallId& call, CallStatus status, const std::string& detail,
                   std::uint8_t attempts, bool has_payload, bool had_session);
    /// Nobody may say afterwards that a device never failed.
    void fault_happened() { ++faults_; }
    /// What the client has sent last of this call.
    void client_sent(const CallKey& key) { calls_[key.id].at_broker_or_worker = key; }
    bool awaits(const CallKey& key) const;
    std::size_t unfinished_count() const;
    std::string describe_unfinished() const;
    std::map<std::string, int> status_counts() const;

    // ---- brokers
    void broker_started(NodeId broker, int life);
    void broker_received(NodeId broker, int life, LinkId link, NodeId from, const Message& message);
    void broker_sent(NodeId broker, int life, LinkId link, NodeId to, const Message& message);

    /// From a broker, or from a worker directly.
    void client_received(NodeId from, const Answer& answer) {
        run_is_known_to_be_over(from, answer.key);
    }

    // ---- workers
    void worker_received(NodeId worker, int life, NodeId broker, const Call& call);
    void worker_sent(NodeId worker, int life, LinkId link, NodeId broker, const Message& message);
    void run_started(NodeId worker, int life, RunId run, const std::vector<CallKey>& calls);
    void run_made(const CallKey& key) { calls_[key.id].was_made = true; }
    void worker_died(NodeId worker, int life);
    /// Calls that this life of the worker has from the broker, as the broker knows it.
    std::vector<CallKey> outstanding_at(NodeId worker, NodeId broker, int broker_life) const;
    /// The broker has this CALL by this connection, and owes its client the answer.
    bool owes_answer(NodeId broker, int life, LinkId link, const CallKey& key) const;
    bool is_over(const CallId& call) const;

  private:
    struct CallRecord {
        PlannedCall plan;
        bool known{false};
        bool was_cancelled{false};
        bool client_died{false};
        std::optional<CallStatus> status;
        std::set<std::uint8_t> attempts_sent;
        std::optional<CallKey> at_broker_or_worker;
        int run_count{0};
        bool was_made{false};
        int deaths{0};  ///< of a worker while this call ran
        int lonely_deaths{0};
        NodeId last_broker{-1};  ///< where its last CALL arrived
        int last_broker_life{0};
        LinkId last_link;
        CallKey last_key;
    };
    struct Run {
        std::vector<CallKey> calls;  ///< without those whose RESULT has come
        std::size_t call_count{0};
    };
    struct WorkerSession {
        NodeId worker{0};
        std::map<ServiceIndex, ServiceAd> ads;
        Credit window;
        bool has_window{false};
        bool draining{false};
        struct Sent {
            ServiceIndex service;
            std::uint64_t bytes{0};
            int life{0};
        };
        std::map<CallKey, Sent> outstanding;
        std::set<CallKey> ever_sent;
    };
    struct Life {
        TimePoint started;
        std::map<LinkId, Hello> hellos;
        std::map<LinkId, SessionId> sessions;
        std::map<LinkId, int> dialler_life;
        std::map<SessionId, WorkerSession> workers;
        std::map<std::string, TimePoint>
            offered;  ///< when an offerer of this service was last heard
        std::map<LinkId, std::set<CallKey>> calls_from;
        std::map<PeerId, std::set<CallKey>> calls_of_peer;
        std::set<CallKey> answered;
        std::set<CallKey> streaming;  ///< answered, with bytes that follow
        std::map<PeerId, std::uint64_t> newest_epoch;
        std::map<PeerId, TimePoint> heard;
        std::map<LinkId, bool> must_be_refused;
    };

    void run_is_known_to_be_over(NodeId worker, const CallKey& key);
    void check_dispatch(Life& life, LinkId link, const Call& call);
    void check_answer(NodeId broker, Life& life, LinkId link, const Answer& answer);
    void check_status(const CallRecord& record, CallStatus status, const std::string& detail,
                      bool had_session);
    void violate(const char* rule, const std::string& text) { verdict_.violate(rule, text); }

    Verdict& verdict_;
    Scheduler& clock_;
    Timing timing_;
    BackOff back_off_;
    int faults_{0};
    std::map<NodeId, TimePoint> hung_until_;
    std::map<CallId, CallRecord> calls_;
    std::map<std::pair<NodeId, int>, Life> lives_;
    std::map<std::pair<NodeId, int>, std::set<CallKey>> held_by_worker_;
    std::map<std::pair<LinkId, NodeId>, std::set<CallKey>> results_on_link_;
    std::map<std::tuple<NodeId, int, RunId>, Run> runs_;
};

}  // namespace farm::sim
