#include "gpu_worker/backends/track_finders.h"

namespace farm {

Result<std::unique_ptr<TrackFinders>> load_cuda_track_finders(const ModelSource& source,
                                                              const TracksSettings&,
                                                              const Device&) {
    return fail(ErrorCode::unavailable, "model '" + source.model +
                                            "': this build has no CUDA: use the cpu, or a worker "
                                            "of the gpu preset");
}

}  // namespace farm
