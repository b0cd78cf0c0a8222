#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gpu_worker/core/batcher.h"
#include "gpu_worker/core/class_sizes.h"
#include "gpu_worker/core/service_health.h"
#include "gpu_worker/core/window_split.h"
#include "gpu_worker/core/worker_io.h"
#include "schemas/service.h"

namespace farm {

/// One service of this worker: what it offers, what waits for it, which of its instances are busy,
/// how fast and how healthy it is, and which broker may send how much. Owned by the WorkerMachine.
struct HostedService {
    HostedService(const ModelReady& ready, std::size_t broker_count, std::uint64_t device_bytes);

    /// The model was loaded again: a new advertisement, and what was learned is forgotten.
    void replace(const ModelReady& ready, std::uint64_t device_bytes);

    bool serves() const { return ad.failure.empty(); }
    std::optional<std::uint32_t> free_instance() const;

    /// Calls that all brokers together should have here: so many that the device never waits for a
    /// broker, and no more, because what is here cannot go to a worker that becomes free earlier.
    std::uint64_t capacity() const;
    /// What the result of this call may have.
    std::uint64_t result_limit(const Call& call) const {
        return call.max_result_bytes != 0 ? call.max_result_bytes : ad.max_result_bytes;
    }
    /// How many calls make a full run. Rows of graphs are nodes and edges, far more than calls:
    /// their usual number is learned from the calls that arrive.
    std::uint64_t full_run_calls() const;
    void count_rows(std::uint32_t rows_of_call, std::uint32_t said_rows);
    /// What brokers take this many rows for. A client that does not know the batch rule says how
    /// many nodes a graph has; a run takes time for its edges, too.
    std::uint32_t said_rows(std::uint32_t rows) const;
    /// Device time that `rows` more rows cost when they share full runs.
    Duration cost_of(std::uint32_t rows) const;

    /// What a full run has, as far as that is known.
    std::uint32_t full_run_rows() const;
    /// Brings the advertised curve up to date with the measured one. True when it has changed so
    /// much that brokers should know: another knee, or a time that is wrong by a quarter.
    bool take_over_curve();

    ServiceAd ad;
    double mean_call_rows{0};  ///< 0: no call has come yet
    double mean_said_rows{0};  ///< the same calls, as CALL says
    Batcher batcher;
    ClassSizes sizes;
    bool sliceable{false};
    bool runs_inline{false};
    TimePoint curve_due;  ///< when brokers may be told of a changed curve again
    ServiceHealth health;
    WindowSplit windows;
    std::vector<bool> busy;                   ///< by instance
    std::vector<std::uint32_t> queue_depths;  ///< by broker, as its last BEAT said
};

}  // namespace farm
