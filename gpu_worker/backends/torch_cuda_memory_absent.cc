#include "gpu_worker/backends/torch_cuda_memory.h"

namespace farm {

void free_cached_cuda_memory() {}

Result<void> limit_cuda_memory(int, double) {
    return fail(ErrorCode::unavailable, "this build is without CUDA or without libtorch");
}

}  // namespace farm
