#include "gpu_worker/backends/device.h"

#include <charconv>
#include <fstream>
#include <optional>

#include "gpu_worker/backends/torch_backend.h"
#include "gpu_worker/backends/torch_cuda_memory.h"
#include "gpu_worker/device/cuda_device.h"
#include "gpu_worker/device/memory_limit.h"

namespace farm {

namespace {

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2, limits::name_bytes);
    }
    return "cpu";
}

Device cpu_device() { return {DeviceKind::cpu, 0, cpu_name()}; }

Device cuda_device(int index) {
    const auto described = describe_cuda_device(index);
    const std::string name = described ? described->name : "cuda:" + std::to_string(index);
    return {DeviceKind::cuda, index, name.substr(0, limits::name_bytes)};
}

std::optional<int> cuda_index(std::string_view text) {
    if (text == "cuda") return 0;
    constexpr std::string_view prefix = "cuda:";
    if (!text.starts_with(prefix)) return std::nullopt;
    int index = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + prefix.size(), end, index);
    if (error != std::errc() || stop != end || index < 0) return std::nullopt;
    return index;
}

}  // namespace

Result<Device> resolve_device(std::string_view text) {
    if (text == "cpu") return cpu_device();
    const int count = cuda_device_count();
    if (text == "auto") return count > 0 ? cuda_device(0) : cpu_device();
    const std::optional<int> index = cuda_index(text);
    if (!index) {
        return fail(ErrorCode::invalid,
                    "device '" + std::string(text) + "' is not known: use cpu, cuda:N or auto");
    }
    if (*index < count) return cuda_device(*index);
    return fail(ErrorCode::unavailable,
                "device '" + std::string(text) + "' is not there (this build sees " +
                    std::to_string(count) + " CUDA devices on this machine): use cpu" +
                    (count > 0 ? " or cuda:0 to cuda:" + std::to_string(count - 1) : ""));
}

Result<void> limit_device_memory(const Device& device, std::string_view text) {
    const auto described =
        device.kind == DeviceKind::cuda ? describe_cuda_device(device.index) : std::nullopt;
    if (!described) {
        return fail(ErrorCode::invalid, "--device-memory-limit '" + std::string(text) +
                                            "' is for CUDA devices (this worker runs on " +
                                            to_string(device) + "): leave it out");
    }
    const auto share = parse_memory_limit(text, described->memory_bytes);
    if (!share) return tl::unexpected(share.error());
    return limit_cuda_memory(device.index, *share);
}

std::string to_string(const Device& device) {
    if (device.kind == DeviceKind::cpu) return "cpu";
    return "cuda:" + std::to_string(device.index);
}

}  // namespace farm
