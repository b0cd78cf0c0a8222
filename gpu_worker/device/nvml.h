#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/core/error.h"
#include "schemas/messages.h"

namespace farm {

/// The NVIDIA Management Library of the driver, looked up when the program runs: a machine without
/// a driver has none. Owner: one thread. Each question takes the driver well below a millisecond.
class Nvml {
  public:
    /// Finds the device, or the MIG slice, by the UUID that CUDA says (see CudaDevice).
    /// Errors: unavailable when there is no such library, or it knows no such device.
    static Result<Nvml> open(const std::string& uuid, const char* library = "libnvidia-ml.so.1");

    /// The device as the CUDA runtime numbers it. Errors: unavailable, as above or where the
    /// runtime does not have it.
    static Result<Nvml> open_device(int index);

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
