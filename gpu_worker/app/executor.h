#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/ids.h"
#include "common/core/transfer.h"
#include "common/net/bounded_queue.h"
#include "common/wire/body.h"
#include "gpu_worker/core/batching.h"
#include "gpu_worker/core/worker_io.h"
#include "schemas/messages.h"

namespace farm {

/// One call of a run: its tensors in the order of the signature.
struct RunInput {
    TensorList tensors;
    std::uint32_t rows{1};
};

/// One batch for one instance.
struct RunJob {
    RunId run;
    std::vector<RunInput> calls;
    std::vector<std::uint32_t> slices{};  ///< as StartRun says
    TimePoint expires{TimePoint::max()};  ///< nothing more begins after this
};

/// What became of one call: packed outputs, or why there are none.
struct CallOutcome {
    Outcome outcome{Outcome::ok};
    Reason reason{Reason::none};
    std::string detail;
    Payload payload;
    std::uint64_t output_bytes{0};
    std::vector<LargeTensor> large;
};

struct RunDone {
    RunId run;
    Timings timings;
    std::vector<CallOutcome> calls;
    std::vector<SliceTime> slices;  ///< runs of the backend that ended well
    std::string lost_device{};      ///< why nothing runs on the device any more; empty: it does
};

/// What every instance of a service shares.
struct ServedModel {
    std::shared_ptr<LoadedModel> model;
    std::shared_ptr<const Batching> batching = one_call_per_run();
    ServiceAd ad;
    EncodedProvenance made_by;
    Allocate allocate = heap_block;  ///< for what runs are put together in
};

/// Combines the calls of a job by the service's batch rule, runs the backend, checks and splits the
/// outputs. Never throws; times each part. Used by the instance's thread only.
///
/// A call never fails for what another one sent: one whose values are wrong is left out, and when
/// the run ends with anything but device_fault its calls run again one by one, until job.expires.
/// Those of a service that is not idempotent do so only where the model has not seen them; else all
/// end with retryable_fault.
RunDone execute(const ServedModel& served, BackendInstance& instance, RunJob job);

/// One instance of a model and the thread that runs it (none when it runs inline).
///
/// Jobs are run one after the other in the order given; the machine gives an instance one at a
/// time. `done` outlives it. The destructor waits for the run under way.
class InstanceRunner {
  public:
    InstanceRunner(std::shared_ptr<const ServedModel> served,
                   std::unique_ptr<BackendInstance> instance, BoundedQueue<RunDone>& done);
    ~InstanceRunner();
    InstanceRunner(const InstanceRunner&) = delete;
    InstanceRunner& operator=(const InstanceRunner&) = delete;

    /// Gives what is done when it runs inline; else `done` gets it later.
    std::optional<RunDone> start(RunJob job);
    bool runs_inline() const { return !thread_.joinable(); }

  private:
    void work();

    std::shared_ptr<const ServedModel> served_;
    std::unique_ptr<BackendInstance> instance_;
    BoundedQueue<RunDone>& done_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<RunJob> jobs_;
    bool stopping_{false};
    std::thread thread_;
};

}  // namespace farm
