#pragma once

#include <memory>

#include "common/core/error.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

/// Loads one version of a model with the backend that its repository names. Blocking (file I/O,
/// and seconds for a large model); any thread, several at a time. Library exceptions end inside.
/// With instance_group KIND_CPU the model is loaded on the CPU whatever the device is; KIND_GPU on
/// a CPU is an error.
Result<std::shared_ptr<LoadedModel>> load_model(const ModelSource& source, const Device& device);

}  // namespace farm
