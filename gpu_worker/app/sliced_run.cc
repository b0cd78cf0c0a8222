#include "gpu_worker/app/sliced_run.h"

#include "common/core/clock.h"
#include "gpu_worker/core/input_check.h"
#include "gpu_worker/core/slices.h"

namespace farm {
namespace {

RunResult timed_run(BackendInstance& instance, const TensorList& inputs, std::uint32_t rows,
                    std::vector<SliceTime>& times) {
    const TimePoint begin = steady_now();
    RunResult result = instance.run(inputs);
    if (result) times.push_back({rows, steady_now() - begin});
    return result;
}

}  // namespace

RunResult run_slices(const ServiceAd& service, BackendInstance& instance, const TensorList& inputs,
                     std::uint32_t rows, const RunJob& job, std::vector<SliceTime>& times) {
    if (job.slices.size() <= 1) return timed_run(instance, inputs, rows, times);
    SlicedOutputs outputs(rows);
    std::uint32_t first = 0;
    for (const std::uint32_t count : job.slices) {
        if (first > 0 && steady_now() >= job.expires) {
            return tl::unexpected(RunFailure{Outcome::retryable_fault,
                                             "the deadline passed after " + std::to_string(first) +
                                                 " of " + std::to_string(rows) + " rows"});
        }
        const RunResult part = timed_run(instance, slice_rows(inputs, first, count), count, times);
        if (!part) return tl::unexpected(part.error());
        if (const auto sound = check_outputs(service, count, *part); !sound) {
            return tl::unexpected(RunFailure{Outcome::device_fault, sound.error().message});
        }
        outputs.add(*part, count);
        first += count;
    }
    return outputs.take();
}

}  // namespace farm
