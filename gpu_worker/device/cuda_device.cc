#include "gpu_worker/device/cuda_device.h"

#include <cuda_runtime_api.h>

#include <cstdio>

namespace farm {

namespace {

/// 8-4-4-4-12 hexadecimal digits.
std::string text_of(const cudaUUID_t& uuid) {
    std::string text;
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        char digits[3];
        std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(uuid.bytes[i]));
        text += digits;
    }
    return text;
}

}  // namespace

std::optional<CudaDevice> describe_cuda_device(int index) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, index) != cudaSuccess) {
        static_cast<void>(cudaGetLastError());
        return std::nullopt;
    }
    return CudaDevice{properties.name, text_of(properties.uuid), properties.totalGlobalMem};
}

}  // namespace farm
