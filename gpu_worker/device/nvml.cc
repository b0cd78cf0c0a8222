#include "gpu_worker/device/nvml.h"

#include <algorithm>
#include <utility>

#include <dlfcn.h>

#include "gpu_worker/device/cuda_device.h"

namespace farm {

namespace {

// The part of nvml.h that is used, as its ABI has it (NVML API reference, version 12).
using Return = int;
constexpr Return success = 0;
struct Memory {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
};
struct Utilization {
    unsigned int gpu;
    unsigned int memory;
};

tl::unexpected<Error> unavailable(const std::string& what) {
    return fail(ErrorCode::unavailable, "NVML " + what);
}

}  // namespace

struct Nvml::Library {
    explicit Library(const char* name) : handle(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
        if (handle == nullptr) return;
        find(init, "nvmlInit_v2");
        find(shutdown, "nvmlShutdown");
        find(device_by_uuid, "nvmlDeviceGetHandleByUUID");
        find(memory_info, "nvmlDeviceGetMemoryInfo");
        find(utilization_rates, "nvmlDeviceGetUtilizationRates");
        is_ready = is_whole && init() == success;
    }
    ~Library() {
        if (is_ready) shutdown();
        if (handle != nullptr) ::dlclose(handle);
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    template <class Function>
    void find(Function*& function, const char* name) {
        function = reinterpret_cast<Function*>(::dlsym(handle, name));
        is_whole = is_whole && function != nullptr;
    }

    void* handle{nullptr};
    bool is_whole{true};
    bool is_ready{false};
    Return (*init)(){nullptr};
    Return (*shutdown)(){nullptr};
    Return (*device_by_uuid)(const char* uuid, void** device){nullptr};
    Return (*memory_info)(void* device, Memory* memory){nullptr};
    Return (*utilization_rates)(void* device, Utilization* utilization){nullptr};
};

Nvml::Nvml(std::unique_ptr<Library> library, void* device)
    : library_(std::move(library)), device_(device) {}
Nvml::Nvml(Nvml&&) noexcept = default;
Nvml& Nvml::operator=(Nvml&&) noexcept = default;
Nvml::~Nvml() = default;

Result<Nvml> Nvml::open(const std::string& uuid, const char* library) {
    auto opened = std::make_unique<Library>(library);
    if (opened->handle == nullptr) return unavailable(std::string("is not there: ") + library);
    if (!opened->is_ready) return unavailable(std::string("does not start: ") + library);
    for (const char* kind : {"GPU-", "MIG-"}) {
        void* device = nullptr;
        if (opened->device_by_uuid((kind + uuid).c_str(), &device) != success) continue;
        return Nvml(std::move(opened), device);
    }
    return unavailable("knows no device or MIG slice with the UUID " + uuid);
}

Result<Nvml> Nvml::open_device(int index) {
    const auto described = describe_cuda_device(index);
    if (described) return open(described->uuid);
    return unavailable("is not asked: CUDA has no device " + std::to_string(index));
}

std::optional<DeviceUse> Nvml::use() const {
    Memory memory{};
    if (library_->memory_info(device_, &memory) != success) return std::nullopt;
    DeviceUse use{memory.total, memory.used};
    Utilization utilization{};
    const bool told = library_->utilization_rates(device_, &utilization) == success;
    if (told) use.busy_percent = static_cast<std::uint8_t>(std::min(utilization.gpu, 100U));
    return use;
}

}  // namespace farm
