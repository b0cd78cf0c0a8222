#pragma once

#include <memory>
#include <string>

#include "common/core/error.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/backends/tracks_settings.h"
#include "gpu_worker/core/model_source.h"
#include "gpu_worker/tracking/track_finder.h"

namespace farm {

/// The networks of a tracks model on its device, from which each instance gets a finder. Lives as
/// long as its finders; any thread.
class TrackFinders {
  public:
    virtual ~TrackFinders() = default;
    virtual Result<std::unique_ptr<tracking::TrackFinder>> make() = 0;

    /// The networks that run as kernels of ours and not as TorchScript: "embedding+filter", "none",
    /// or empty where there are no kernels.
    virtual std::string kernels() const { return {}; }
};

/// Networks on the device, all else on the processor.
Result<std::unique_ptr<TrackFinders>> load_track_finders(const ModelSource& source,
                                                         const TracksSettings& settings,
                                                         const Device& device);

/// Every stage on the device, of GraphMethod::radius. Errors: those of the networks' files;
/// unavailable in a build without CUDA.
Result<std::unique_ptr<TrackFinders>> load_cuda_track_finders(const ModelSource& source,
                                                              const TracksSettings& settings,
                                                              const Device& device);

}  // namespace farm
