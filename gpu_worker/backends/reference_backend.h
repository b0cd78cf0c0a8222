#pragma once

#include <memory>

#include "common/core/error.h"
#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

/// Models without a network in them, for tests and benchmarks of the farm itself. They come from
/// an ordinary repository: `backend: "reference"`, and in the parameters map
///
///     farm.reference.kind       "identity" (default), "scale", "sum", "sleep" or "fail"
///     farm.reference.inline     "true": runs on the worker's loop thread (identity's default)
///   scale: output = input x factor, float32 only
///     farm.reference.factor     default 2
///   sum: reads its inputs and answers with one uint64 for each, the sum of the bytes as
///     little-endian 64-bit words (the last padded with zeros) modulo 2^64; for models without
///     batches
///   sleep: a run takes fixed_ns + rows x per_row_ns, then output = input
///     farm.reference.fixed_ns, farm.reference.per_row_ns      default 0
///     farm.reference.cliff_rows, farm.reference.cliff_factor  in runs of more rows than that each
///                               row takes so many times as long (default: none do)
///     farm.reference.wait       "sleep" (default: the core is free, as with a GPU) or "spin"
///   fail: for tests of faults, else output = input
///     farm.reference.outcome    "input_error", "retryable_fault", "device_fault" (default),
///                               "device_lost" (as a CUDA context that is gone) or "crash" (the
///                               process aborts)
///     farm.reference.mark       a number: only runs whose first input has a float32 element
///                               equal to it fail; absent: every run does
///     farm.reference.failing_runs   only the first so many such runs of an instance fail
///
/// Outputs are the inputs in order, named as the config's outputs where it has some. Without input
/// sections any tensors of any shape are taken. Outputs of all but scale and sum share the inputs'
/// memory.
Result<std::shared_ptr<LoadedModel>> load_reference_model(const ModelSource& source);

}  // namespace farm
