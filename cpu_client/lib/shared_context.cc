#include "cpu_client/lib/shared_context.h"

#include "schemas/limits.h"

#include <mutex>

namespace farm {

std::shared_ptr<Context> shared_context() {
    static std::mutex mutex;
    static std::weak_ptr<Context> current;
    std::lock_guard lock(mutex);
    std::shared_ptr<Context> context = current.lock();
    if (!context) {
        context = std::make_shared<Context>(limits::direct_frame_bytes);
        current = context;
    }
    return context;
}

}  // namespace farm
