#pragma once

#include "common/core/error.h"

namespace farm {

/// libtorch keeps the device memory that it has freed; this gives it back to the device, for what
/// takes memory by itself (cuBLAS, cuDNN, other processes). Waits for the device. Never throws;
/// nothing happens without CUDA.
void free_cached_cuda_memory();

/// The share of the device's memory (above 0, up to 1) that tensors may take in this process; a run
/// that needs more is out of memory. Contexts and libraries come on top.
Result<void> limit_cuda_memory(int device_index, double share);

}  // namespace farm
