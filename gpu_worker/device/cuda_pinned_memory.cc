#include <cuda_runtime_api.h>

#include "gpu_worker/device/pinned_memory.h"

namespace farm {

namespace {

/// CUDA gives whole pages.
class CudaSource final : public PinnedMemory::Source {
  public:
    explicit CudaSource(int device_index) : device_index_(device_index) {}

    std::byte* take(std::size_t bytes) override {
        void* block = nullptr;
        const bool taken = cudaSetDevice(device_index_) == cudaSuccess &&
                           cudaHostAlloc(&block, bytes, cudaHostAllocPortable) == cudaSuccess;
        if (!taken) static_cast<void>(cudaGetLastError());  // a later run is not to find it
        return taken ? static_cast<std::byte*>(block) : nullptr;
    }

    void give_back(std::byte* block) override {
        const bool given =
            cudaSetDevice(device_index_) == cudaSuccess && cudaFreeHost(block) == cudaSuccess;
        if (!given) static_cast<void>(cudaGetLastError());
    }

  private:
    int device_index_;
};

}  // namespace

std::shared_ptr<PinnedMemory> make_cuda_pinned_memory(int device_index, std::uint64_t limit_bytes) {
    return PinnedMemory::make(std::make_unique<CudaSource>(device_index), limit_bytes);
}

}  // namespace farm
