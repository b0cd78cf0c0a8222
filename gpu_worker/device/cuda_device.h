#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace farm {

/// A CUDA device as the runtime numbers it: CUDA_VISIBLE_DEVICES hides and renumbers devices and
/// names MIG slices, so only the UUID says to other libraries which one it is.
struct CudaDevice {
    std::string name;  ///< "NVIDIA H100 80GB HBM3 MIG 1g.10gb"
    std::string uuid;  ///< of the device or of the slice, without "GPU-" or "MIG-"
    std::uint64_t memory_bytes{0};
};

/// Nothing when the runtime does not have it, and in a build without CUDA.
std::optional<CudaDevice> describe_cuda_device(int index);

}  // namespace farm
