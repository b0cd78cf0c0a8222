#include "gpu_worker/device/cuda_device.h"

namespace farm {

std::optional<CudaDevice> describe_cuda_device(int) { return std::nullopt; }

}  // namespace farm
