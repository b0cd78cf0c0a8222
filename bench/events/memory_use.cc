#include "bench/events/memory_use.h"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

#include "gpu_worker/device/cuda_device.h"

namespace farm::bench {

namespace {

std::optional<Nvml> nvml_of(const Device& device) {
    const auto described = describe_cuda_device(device.index);
    if (!described) return std::nullopt;
    auto nvml = Nvml::open(described->uuid);
    return nvml ? std::optional(std::move(*nvml)) : std::nullopt;
}

std::uint64_t process_peak_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return 1024 * static_cast<std::uint64_t>(usage.ru_maxrss);
}

}  // namespace

MemoryUse::MemoryUse(const Device& device) : is_of_device_(device.kind == DeviceKind::cuda) {
    if (!is_of_device_) return;
    nvml_ = nvml_of(device);
    bytes_before_ = device_bytes();
}

std::uint64_t MemoryUse::device_bytes() const {
    const auto use = nvml_ ? nvml_->use() : std::nullopt;
    return use ? use->memory_used_bytes : 0;
}

std::uint64_t MemoryUse::bytes() const {
    if (!is_of_device_) return process_peak_bytes();
    return std::max(device_bytes(), bytes_before_) - bytes_before_;
}

}  // namespace farm::bench
