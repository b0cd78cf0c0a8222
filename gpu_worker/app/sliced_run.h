#pragma once

#include <vector>

#include "gpu_worker/app/executor.h"

namespace farm {

/// Runs `rows` rows of a job, which are combined already, in the slices that it asks for, and adds
/// how long each kept the instance busy. A job of one slice is one run of the backend.
///
/// Outputs of slices are checked each and put together once. A slice that fails ends the whole, and
/// so does a deadline that passes between two: the machine answers that nobody waits any more.
/// Throws std::bad_alloc when there is no memory for the outputs.
RunResult run_slices(const ServiceAd& service, BackendInstance& instance, const TensorList& inputs,
                     std::uint32_t rows, const RunJob& job, std::vector<SliceTime>& times);

}  // namespace farm
