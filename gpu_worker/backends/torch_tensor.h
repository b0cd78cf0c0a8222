#pragma once

#include <torch/script.h>

#include <optional>
#include <string>

#include "gpu_worker/core/backend.h"

namespace farm {

/// Nothing for types that TorchScript does not have (uint16, uint32, uint64).
std::optional<at::ScalarType> torch_type(const DType& type);

/// The tensor on the device. On the CPU it views the buffer and keeps it alive; bytes that are
/// misaligned for the element type are copied first, and all are where `copies` is said. To a CUDA
/// device they are copied from pinned memory, where they lie or after a copy into it: the caller
/// keeps them until the current stream has been waited for. Throws c10::Error for a type without a
/// twin.
at::Tensor to_torch(const Tensor& tensor, const c10::Device& device, bool copies = false);

/// The values in host memory, row-major. Shares the memory of a contiguous CPU tensor and keeps
/// it alive. Those of a CUDA device come into pinned memory: they are there when its current stream
/// has been waited for. Throws c10::Error for a sparse tensor or a type that has no name of ours.
Tensor from_torch(const std::string& name, const at::Tensor& value);

}  // namespace farm
