#include "bench/events/memory_use.h"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

namespace farm::bench {

namespace {

std::uint64_t process_peak_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return 1024 * static_cast<std::uint64_t>(usage.ru_maxrss);
}

}  // namespace

MemoryUse::MemoryUse(const Device& device) : is_of_device_(device.kind == DeviceKind::cuda) {
    if (!is_of_device_) return;
    if (auto nvml = Nvml::open_device(device.index)) nvml_ = std::move(*nvml);
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
