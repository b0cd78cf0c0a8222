// A libnvidia-ml with one device and one MIG slice, for NvmlTest.
#include <cstring>

namespace {
int the_device = 0;
int the_slice = 0;
constexpr int success = 0;
constexpr int not_supported = 3;
constexpr int not_found = 6;
}  // namespace

extern "C" {

struct Memory {
    unsigned long long total, free, used;
};
struct Utilization {
    unsigned int gpu, memory;
};

int nvmlInit_v2() { return success; }
int nvmlShutdown() { return success; }

int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
    if (std::strcmp(uuid, "GPU-11111111-2222-3333-4444-555555555555") == 0) {
        *device = &the_device;
    } else if (std::strcmp(uuid, "MIG-66666666-7777-8888-9999-000000000000") == 0) {
        *device = &the_slice;
    } else {
        return not_found;
    }
    return success;
}

int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
    *memory = device == &the_device ? Memory{80'000, 60'000, 20'000} : Memory{10'000, 9'000, 1'000};
    return success;
}

int nvmlDeviceGetUtilizationRates(void* device, Utilization* utilization) {
    if (device != &the_device) return not_supported;
    *utilization = {73, 20};
    return success;
}
}
