#pragma once

#include "common/core/error.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

/// Tensors of a warm-up run. Random values are the same in every process: floats in [0, 1),
/// integers and booleans 0 or 1, so that they are valid indices of anything with two entries.
/// Errors: a file that is missing or does not have the bytes of its shape.
Result<TensorList> warmup_tensors(const WarmupRun& run);

}  // namespace farm
