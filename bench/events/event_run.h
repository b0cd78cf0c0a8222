#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/samples/event_sample.h"
#include "gpu_worker/core/backend.h"

namespace farm::bench {

/// What one stage took for an event, and how many edges it left: means over the sample.
struct StageFigures {
    double ms{0};
    double edge_count{0};
};

/// Means over a sample, each the median of several passes over it.
struct EventFigures {
    std::vector<StageFigures> stages;  ///< as track_stage_names
    double call_ms{0};  ///< from space points to labels, with what lies between stages
};

/// Runs the events one after the other, `repeats` passes after one that does not count.
/// Errors: device for a run that fails, invalid for a model that does not give STAGES.
Result<EventFigures> time_stages(BackendInstance& model, const EventSample& sample, int repeats);

/// Events/s with as many in flight as there are instances, each on a thread of its own, after one
/// event of each that does not count. Errors as above.
Result<double> events_per_second(std::span<const std::unique_ptr<BackendInstance>> instances,
                                 const EventSample& sample, double seconds);

}  // namespace farm::bench
