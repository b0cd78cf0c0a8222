#include "gpu_worker/backends/load_model.h"

#include "gpu_worker/backends/reference_backend.h"
#include "gpu_worker/backends/torch_backend.h"
#include "gpu_worker/backends/tracks_backend.h"

namespace farm {

Result<std::shared_ptr<LoadedModel>> load_model(const ModelSource& source, const Device& device) {
    if (source.instance_kind == InstanceKind::gpu && device.kind == DeviceKind::cpu) {
        return fail(ErrorCode::unavailable,
                    "model '" + source.model +
                        "' wants a GPU (instance_group kind KIND_GPU; this worker's device is "
                        "cpu): serve it on a GPU worker, or use KIND_AUTO");
    }
    if (source.backend == "reference") return load_reference_model(source);
    if (source.backend == "tracks") return load_tracks_model(source, device);
    if (source.instance_kind == InstanceKind::cpu && device.kind != DeviceKind::cpu) {
        const Result<Device> cpu = resolve_device("cpu");
        if (!cpu) return tl::unexpected(cpu.error());
        return load_torch_model(source, *cpu);
    }
    return load_torch_model(source, device);
}

}  // namespace farm
