#include "gpu_worker/backends/process_settings.h"

#include <mutex>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <dlfcn.h>

namespace farm {

void keep_memory_mapped() {
#if defined(M_MMAP_THRESHOLD)
    // Before glibc 2.35 half a heap of a thread is the most that it takes.
    if (mallopt(M_MMAP_THRESHOLD, 1 << 30) == 0) mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, static_cast<int>(kept_bytes));
    // The heaps of threads end at 64 MiB, and what passes that is mapped anew each time: all use
    // the first one, which has no end.
    mallopt(M_ARENA_MAX, 1);
#endif
}

void use_blas_threads(std::uint32_t count) {
    using SetThreads = void (*)(int);
    static std::mutex mutex;
    static std::uint32_t most = 0;
    const std::lock_guard lock(mutex);
    if (count <= most) return;
    most = count;
    const auto set =
        reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    if (set != nullptr) set(static_cast<int>(count));
}

}  // namespace farm
