#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/core/flat_map.h"
#include "common/core/incoming_frames.h"
#include "common/net/broker_links.h"
#include "common/net/listener.h"
#include "common/net/outbox.h"
#include "common/net/poller.h"
#include "common/net/same_host/same_host_links.h"
#include "common/ops/metrics.h"
#include "common/ops/notify.h"
#include "common/ops/signals.h"
#include "gpu_worker/app/executor.h"
#include "gpu_worker/app/model_loader.h"
#include "gpu_worker/core/shape_classes.h"
#include "gpu_worker/core/worker_machine.h"
#include "gpu_worker/device/nvml.h"
#include "gpu_worker/device/pinned_memory.h"

namespace farm {

/// The glue around WorkerMachine: polls, decodes and checks calls, steps, carries out the effects,
/// hands runs to the instances.
///
/// Owner: main(). One thread runs it; loader and instances reach it through bounded queues.
class WorkerLoop {
  public:
    struct Parts {
        Context& context;
        std::vector<std::string> brokers;
        std::optional<CurveClient> curve;
        std::unique_ptr<Router> direct;  ///< where clients connect; null: no direct path
        std::unique_ptr<Router> direct_bulk;
        std::unique_ptr<SameHostLinks> same_host;  ///< listens; null: nobody is served so
        WorkerOptions machine;
        std::vector<RepositoryEntry> entries;
        LoadOptions load;
        std::optional<Nvml> nvml;  ///< of the device; none: its use is not told
    };

    WorkerLoop(Parts parts, Signals& signals);
    ~WorkerLoop();

    /// Of a worker whose device is lost: whoever started it should start it again.
    static constexpr int device_lost_exit_code = 75;  // EX_TEMPFAIL of sysexits.h

    /// Until it is drained, or told to stop at once. Gives the exit code.
    int run();

  private:
    /// A model in service, by the index under which it is advertised.
    struct Service {
        std::shared_ptr<ServedModel> served;
        std::vector<std::unique_ptr<InstanceRunner>> instances;
        TensorList self_test;
        ShapeClasses shapes;
    };

    void take_models();
    void take_runs();
    RunFinished finished(RunDone&& done);
    void take_message(LinkId link, std::vector<Buffer> frames);
    void take_direct(Lane lane);
    void take_same_host();
    void take_items(LinkId link);
    bool is_direct(LinkId link) const { return link.value >= first_listener_link; }
    Lane lane_of(LinkId link, const Message& message);
    SendResult send(LinkId link, Lane lane, std::span<const Buffer> frames);
    void close(LinkId link);
    CallArrived inspect(LinkId link, Call&& call);
    Result<TensorList> tensors_of(const Call& call, CallArrived& arrived);
    Service* find(const std::string& name, ServiceIndex& index);

    void step(const WorkerInput& input);
    void carry_out(const Transmit& effect);
    void carry_out(const TransmitChunk& effect);
    void carry_out(const ExpectFrames& effect);
    void carry_out(const StoreChunk& effect);
    void carry_out(const StartRun& effect);
    void carry_out(const StartSelfTest& effect);
    void carry_out(const DropPayload& effect);
    void carry_out(const Note& effect);
    void carry_out(const OpenLink& effect) { links_.open(effect); }
    void carry_out(const OpenBulk& effect) { links_.open_bulk(effect); }
    void carry_out(const BindBulk& effect) { listener_->bind(effect); }
    void carry_out(const CloseLink& effect);
    void carry_out(const Finished&) { finished_ = true; }
    void start(InstanceRunner& instance, RunJob job);
    void look_at_device();
    void tell_of_refusals(const PinnedMemory::Counts& counts);
    void lose_device(const std::string& why);
    Result<TensorList> take_inputs(PayloadId payload, const ServiceAd& ad);
    void flush();

    Signals& signals_;
    Poller poller_;
    Waker waker_;
    BoundedQueue<LoadedEntry> loaded_;
    BoundedQueue<RunDone> done_;
    std::vector<LoadedEntry> newly_loaded_;
    std::vector<RunDone> done_here_;  ///< of instances that run inline, or that had nothing to run
    std::vector<RunDone> newly_done_;
    BrokerLinks links_;
    std::optional<Listener> listener_;
    std::unique_ptr<SameHostLinks> same_host_links_;
    Outbox outbox_;
    ServiceNotifier notifier_;
    WorkerMachine machine_;
    WorkerEffects effects_;
    PayloadStore payloads_;
    std::vector<Message> messages_;  ///< of the message that is being taken
    std::uint64_t taken_count_{0};
    FlatMap<PayloadId, TensorList> inputs_;                   ///< checked inputs of small calls
    std::unordered_map<PayloadId, IncomingFrames> incoming_;  ///< calls whose chunks come
    std::map<ServiceIndex, Service> services_;
    std::unordered_map<std::string, ServiceIndex> by_name_;
    std::unordered_map<RunId, ServiceIndex> self_tests_;  ///< under way
    std::uint16_t next_service_{1};
    std::uint64_t next_self_test_{1ULL << 63};  ///< run numbers apart from the machine's
    std::size_t expected_models_;
    std::size_t ready_models_{0};
    TimePoint now_;
    bool finished_{false};
    int exit_code_{0};
    std::shared_ptr<PinnedMemory> pinned_;
    bool told_of_refusals_{false};
    std::optional<Nvml> nvml_;
    TimePoint next_look_;
    std::unique_ptr<ModelLoader> loader_;  ///< last: stops before the queues go
};

}  // namespace farm
