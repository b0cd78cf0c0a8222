#include "gpu_worker/backends/torch_cuda_memory.h"

#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include <exception>

#include "gpu_worker/backends/torch_failure.h"

namespace farm {

void free_cached_cuda_memory() {
    try {
        c10::cuda::CUDACachingAllocator::emptyCache();
    } catch (const std::exception&) {
        // The next run says it, too.
    }
}

Result<void> limit_cuda_memory(int device_index, double share) {
    try {
        at::globalContext().lazyInitDevice(at::kCUDA);  // tells the allocator of its devices
        c10::cuda::CUDACachingAllocator::setMemoryFraction(
            share, static_cast<c10::DeviceIndex>(device_index));
        return {};
    } catch (...) {
        return fail(ErrorCode::device, caught_failure().detail);
    }
}

}  // namespace farm
