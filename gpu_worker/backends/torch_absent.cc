#include "gpu_worker/backends/torch_backend.h"

namespace farm {

Result<std::shared_ptr<LoadedModel>> load_torch_model(const ModelSource& source, const Device&) {
    return fail(ErrorCode::unavailable, "model '" + source.model +
                                            "' is TorchScript (this build is without libtorch): "
                                            "build with FARM_WITH_TORCH=ON");
}

int cuda_device_count() { return 0; }

}  // namespace farm
