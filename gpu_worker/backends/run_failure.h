#pragma once

#include <string_view>

#include "gpu_worker/core/backend.h"

namespace farm {

/// Judges the text of an exception that came out of a run.
///
/// The device or its libraries: device_fault. No host memory: retryable_fault, another worker may
/// have more. All else is raised by the model's own operations (shapes that do not fit, an index
/// out of range, a `raise`), would be raised anywhere, and is an input_error.
/// The detail is the one line of the text that says what happened.
RunFailure failure_of(std::string_view text);

}  // namespace farm
