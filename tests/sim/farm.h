#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/broker_machine.h"
#include "cpu_client/core/client_machine.h"
#include "gpu_worker/core/worker_machine.h"
#include "tests/sim/history.h"
#include "tests/sim/listener.h"
#include "tests/sim/network.h"

namespace farm::sim {

/// A service that workers of this farm may offer.
struct SimModel {
    std::string name;
    std::uint32_t version{1};
    BatchRule batch{BatchRule::none};
    std::uint32_t max_rows{0};
    bool idempotent{true};
    Duration run_base{std::chrono::milliseconds(2)};
    Duration run_row{std::chrono::microseconds(200)};
    std::uint64_t result_bytes{1000};
    std::uint64_t max_result_bytes{8ULL << 20};
    std::uint32_t instances{1};
};

/// What one seed makes of a farm.
struct Shape {
    int brokers{1};
    int workers{1};
    int clients{1};
    int calls{40};
    bool healthy{false};
    Duration load_time{std::chrono::seconds(8)};  ///< calls and faults fall into it
    double faults{1.0};                           ///< mean number per second
    double device_faults{0.0};                    ///< chance per run
    double large{0.1};
    double poison{0.0};
    double bad{0.02};
    double unknown{0.02};
    double cancels{0.1};
    bool small_limits{false};
    std::uint64_t device_bytes{64ULL << 20};
    bool direct{false};
    double same_host{0.0};  ///< chance that a worker or client is on the host of the others
    NetworkShape network;
};

struct Result {
    std::string rule;  ///< empty: nothing was violated
    std::string text;
    std::vector<std::string> tail;
    std::map<std::string, int> statuses;
    std::uint64_t events{0};
};

/// What the simulated processes share.
struct World {
    World(std::uint64_t seed, bool keep, bool print);

    Random random;
    Scheduler clock;
    Verdict verdict;
    std::vector<Node*> nodes;
    Network network;
    Timing timing;
    BackOff back_off;
    History history;
    std::vector<SimModel> models;
    std::map<CallId, PlannedCall> plans;
    std::vector<NodeId> broker_ids;
    double device_faults{0.0};
    double same_host{0.0};
    DirectUse direct{DirectUse::never};
    /// Where clients and workers are that are not alone on their machine.
    std::string host{"boot/0"};

    /// Within a host nothing is cut into chunks.
    void check_framing(LinkId link, const Message& message);
    void log(const std::string& line) { verdict.log(clock.now(), line); }
    std::string name(NodeId node) const;
};

/// A process: a machine, its rim and its payloads; all of it is gone after a crash.
template <class Machine, class Input, class Effects>
class Process : public Node {
  public:
    explicit Process(World& world) : world_(world) {}
    void crash();
    void poke();  ///< a Tick when the machine wants one

    std::unique_ptr<Machine> machine;
    std::unique_ptr<SimPayloads> payloads;

  protected:
    void step(const Input& input);
    virtual void carry_out(Effects& effects) = 0;
    virtual void after_step() {}
    virtual void on_crash() {}
    void fresh_store();
    void arm();

    World& world_;
    std::uint64_t armed_{0};
    std::uint64_t ticks_{0};
    TimePoint armed_for_{};
};

class BrokerNode final : public Process<BrokerMachine, BrokerInput, BrokerEffects> {
  public:
    using Process::Process;
    void start(bool small_limits);
    void arrive(Wire& wire, Parcel parcel) override;
    void drain() { step(DrainRequested{}); }
    bool finished{false};

  private:
    void carry_out(BrokerEffects& effects) override;
    void after_step() override;
    void on_crash() override;
    void send(Transmit& effect);

    SimListener listener_{world_.network};
    std::uint64_t epoch_{0};
};

/// The half of a rim that workers and clients share: links to brokers.
template <class Machine, class Input, class Effects>
class Dialler : public Process<Machine, Input, Effects> {
  public:
    using Process<Machine, Input, Effects>::Process;
    void opened(Wire& wire) override;
    void broke(Wire& wire) override;
    Wire* control_wire(LinkId link);
    std::vector<LinkId> links() const;
    void lose(LinkId link);

  protected:
    struct Link {
        NodeId broker{0};
        Wire* control{nullptr};
        Wire* bulk{nullptr};
        OpenBulk attach;
    };
    void open(LinkId link, NodeId listener);
    void open_bulk(const OpenBulk& effect);
    void close(LinkId link);
    void transmit(LinkId link, const Message& message, std::optional<SimPayload> payload,
                  bool bulk);
    void send(const Transmit& effect);
    void send(const TransmitChunk& effect);
    void report_failed();
    Link* live(const Wire& wire);

    std::map<LinkId, Link> links_;
    std::vector<LinkId> failed_;
};

class WorkerNode final : public Dialler<WorkerMachine, WorkerInput, WorkerEffects> {
  public:
    using Dialler::Dialler;
    void start(std::vector<SimModel> models, std::uint64_t device_bytes, bool new_peer);
    void arrive(Wire& wire, Parcel parcel) override;
    void drain() { step(DrainRequested{}); }
    bool finished{false};
    std::uint64_t epoch{0};
    PeerId peer;

  private:
    void carry_out(WorkerEffects& effects) override;
    void after_step() override;
    void on_crash() override;
    void hung_up(Wire& wire) override;
    void arrive_directly(Wire& wire, Parcel parcel);
    void send_directly(const Transmit& effect);
    void check_held();
    void load(std::size_t model);
    void start_run(const StartRun& effect);
    void start_again_soon(int life);
    void finish_run(const StartRun& run, const SimModel& model, Duration took);
    CallArrived inspect(LinkId link, const Call& call);
    void check_windows(LinkId link, const Credit& credit);

    std::map<ServiceIndex, std::uint64_t> largest_capacity_;
    std::map<LinkId, Credit> granted_;
    bool device_lost_{false};               ///< it leaves for that
    SimListener listener_{world_.network};  ///< clients on the direct path

    std::vector<SimModel> models_;  ///< index i is ServiceIndex i + 1
    std::vector<bool> loaded_;
};

class ClientNode final : public Dialler<ClientMachine, ClientInput, ClientEffects> {
  public:
    using Dialler::Dialler;
    void start();
    void arrive(Wire& wire, Parcel parcel) override;
    void submit(const PlannedCall& plan, std::uint64_t bytes, std::uint32_t rows,
                std::uint8_t priority);
    void cancel(const CallId& call);

  private:
    void carry_out(ClientEffects& effects) override;
    void after_step() override { report_failed(); }
    void on_crash() override {
        links_.clear();
        world_.history.client_died(id);
    }

    std::uint64_t epoch_{0};
};

/// One seed: a farm, a workload, faults, the checks at the end.
class Farm {
  public:
    Farm(std::uint64_t seed, bool keep_transcript, bool print);
    Result run();

  private:
    void build();
    void plan_calls();
    void plan_faults();
    void fault();
    void submit_call(int client, bool probe);
    void crash_worker(WorkerNode& worker);
    void watch_lost_calls(WorkerNode& worker);
    void restart_worker(WorkerNode& worker);
    void stranger();
    void zombie(WorkerNode& worker);
    void heal();
    void probe();
    void check_limits();
    void check_empty();
    std::vector<SimModel> some_models();
    template <class T>
    T& any(std::vector<std::unique_ptr<T>>& from) {
        return *from[world_.random.between(0, from.size() - 1)];
    }

    World world_;
    Shape shape_;
    std::vector<std::unique_ptr<BrokerNode>> brokers_;
    std::vector<std::unique_ptr<WorkerNode>> workers_;
    std::vector<std::unique_ptr<ClientNode>> clients_;
    std::uint64_t next_call_{1};
    std::uint64_t seed_;
    bool healed_{false};
};

Result run_seed(std::uint64_t seed, bool keep_transcript, bool print);

/// Runs seeds first..last; on the first violation prints seed, rule and the transcript's tail to
/// stderr, after a second run that keeps it. Returns the number of seeds that passed before.
struct Campaign {
    std::uint64_t passed{0};
    std::optional<std::uint64_t> failed_seed;
    Result failure;
    std::map<std::string, int> statuses;
};
Campaign run_seeds(std::uint64_t first, std::uint64_t last);
void print_failure(const Campaign& campaign);

}  // namespace farm::sim
