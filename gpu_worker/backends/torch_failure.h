#pragma once

#include "gpu_worker/core/backend.h"

namespace farm {

/// What the exception that is being handled says of the run it came out of: call it in a catch
/// clause around libtorch. Never throws anything but std::bad_alloc.
RunFailure caught_failure();

}  // namespace farm
