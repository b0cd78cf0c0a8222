#pragma once

#include <string>
#include <string_view>

#include "common/core/error.h"
#include "schemas/service.h"

namespace farm {

/// The device that a worker owns.
struct Device {
    DeviceKind kind{DeviceKind::cpu};
    int index{0};      ///< of the CUDA device; 0 for cpu
    std::string name;  ///< for people: "AMD EPYC 7763", "NVIDIA H100 80GB HBM3"
};

/// Turns `--device` into a device that is there: "cpu", "cuda:N", "cuda" (the first one) or "auto"
/// (the first CUDA device where the build and the machine have one, else the CPU).
/// Errors: invalid for another text, unavailable for a CUDA device that this machine or build
/// does not have.
Result<Device> resolve_device(std::string_view text);

/// Leaves the tensors of this process a share of the device's memory; `text` is what
/// `--device-memory-limit` says (gpu_worker/device/memory_limit.h). Before a model is loaded.
/// Errors: invalid for another text and for a CPU, too_large for more than there is.
Result<void> limit_device_memory(const Device& device, std::string_view text);

/// "cpu" or "cuda:0", as resolve_device() takes it.
std::string to_string(const Device& device);

}  // namespace farm
