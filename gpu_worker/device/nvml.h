#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/core/error.h"

namespace farm {

/// What the driver says of a device now, all processes on it together.
struct DeviceUse {
    std::uint64_t memory_used_bytes{0};
    std::uint64_t memory_bytes{0};
    std::optional<std::uint32_t> busy_percent;  ///< time with a kernel; a MIG slice does not tell

    friend bool operator==(const DeviceUse&, const DeviceUse&) = default;
};

/// The NVIDIA Management Library of the driver, looked up when the program runs: a machine without
/// a driver has none. Owner: one thread. Each question takes the driver well below a millisecond.
class Nvml {
  public:
    /// Finds the device, or the MIG slice, by the UUID that CUDA says (see CudaDevice).
    /// Errors: unavailable when there is no such library, or it knows no such device.
    static Result<Nvml> open(const std::string& uuid, const char* library = "libnvidia-ml.so.1");

    Nvml(Nvml&&) noexcept;
    Nvml& operator=(Nvml&&) noexcept;
    ~Nvml();

    /// Nothing when the driver does not answer, for instance because the device has fallen off the
    /// bus.
    std::optional<DeviceUse> use() const;

  private:
    struct Library;
    Nvml(std::unique_ptr<Library> library, void* device);

    std::unique_ptr<Library> library_;
    void* device_{nullptr};
};

}  // namespace farm
