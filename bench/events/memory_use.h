#pragma once

#include <cstdint>
#include <optional>

#include "gpu_worker/backends/device.h"
#include "gpu_worker/device/nvml.h"

namespace farm::bench {

/// Memory that the largest event so far took: of a CUDA device what is in use beyond what was when
/// this was made (what an event gives back stays with the process), else of this process.
class MemoryUse {
  public:
    explicit MemoryUse(const Device& device);

    /// 0 where the driver does not tell.
    std::uint64_t bytes() const;

  private:
    std::uint64_t device_bytes() const;

    bool is_of_device_;
    std::optional<Nvml> nvml_;
    std::uint64_t bytes_before_{0};
};

}  // namespace farm::bench
