#pragma once

#include <memory>

#include "common/core/error.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/model_source.h"

/// TorchScript through libtorch. torch_*.cc implement this; torch_absent.cc does in a build
/// without libtorch. No torch header is visible outside of those files.
namespace farm {

/// Loads `source.file` onto the device, whatever device it was saved on.
///
/// Arguments of forward() are filled by name when every input is called as one of them, by the
/// number when all are called `name__number`, else in the order of config.pbtxt. Results (a
/// tensor, tuple, list or dict of tensors) are matched to outputs in the same way.
/// Without a config.pbtxt the file gives the names: of its arguments, and OUTPUT__0, ... Types and
/// dimensions are not in the file, so the advertised signature is empty (unchecked) and the
/// instance checks the names itself.
///
/// The module is frozen, and runs under inference mode in the non-profiling graph executor: event
/// sizes vary, and the profiling one specialises for the shapes that it saw first (gnn.pt on the
/// 12 events of data/events/lrt: 250 ms without and 330 ms with it, and no slow first runs).
/// Inputs are viewed where they lie, and copied only when misaligned or when the model writes to
/// its inputs in place; outputs are the memory that the model made.
Result<std::shared_ptr<LoadedModel>> load_torch_model(const ModelSource& source,
                                                      const Device& device);

/// CUDA devices that libtorch can use; 0 in a build without CUDA or without libtorch.
int cuda_device_count();

}  // namespace farm
