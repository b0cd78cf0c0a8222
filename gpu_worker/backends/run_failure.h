#pragma once

#include <string_view>

#include "gpu_worker/core/backend.h"

namespace farm {

/// Judges the text of an exception that came out of a run.
///
/// The device or its libraries, its memory included: device_fault. No host memory: retryable_fault,
/// another worker may have more. All else is raised by the model's own operations (shapes that do
/// not fit, an index out of range, a `raise`), would be raised anywhere, and is an input_error. The
/// detail is the one line of the text that says what happened.
RunFailure failure_of(std::string_view text);

/// Whether it says that the device had no memory left. What the run had is free again.
bool is_out_of_memory(std::string_view text);

/// Whether it says that this process has lost its CUDA context (CUDA runtime API, cudaError_t: "the
/// process must be terminated and relaunched"): ECC errors, failed launches, bad addresses, a
/// device-side assertion. Every later call fails with the same text.
bool loses_device(std::string_view text);

}  // namespace farm
