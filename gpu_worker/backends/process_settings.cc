#include "gpu_worker/backends/process_settings.h"

#include <climits>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace farm {

void keep_memory_mapped() {
#if defined(M_MMAP_THRESHOLD)
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    // The heaps of threads end at 64 MiB, and what passes that is mapped anew each time: all use
    // the first one, which has no end.
    mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace farm
