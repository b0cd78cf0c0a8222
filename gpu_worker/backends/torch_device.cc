#include <torch/cuda.h>

#include "gpu_worker/backends/torch_backend.h"

namespace farm {

int cuda_device_count() {
    try {
        return torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
    } catch (const std::exception&) {
        return 0;
    }
}

}  // namespace farm
