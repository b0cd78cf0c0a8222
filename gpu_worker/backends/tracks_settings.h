#pragma once

#include <string>

#include "common/core/error.h"
#include "gpu_worker/backends/track_networks.h"
#include "gpu_worker/core/model_source.h"
#include "gpu_worker/tracking/track_finder.h"

namespace farm {

/// What the parameters farm.tracks.* of config.pbtxt say; tracks_backend.h lists them.
struct TracksSettings {
    tracking::TrackFinderConfig finder;
    std::string embedding_file;  ///< full paths; empty: no such network
    std::string filter_file;
    std::string classifier_file;
    EdgeNetworkInput filter_input{EdgeNetworkInput::graph};
    bool features_are_scaled{true};
};

/// Errors name the parameter, its value and what is possible.
Result<TracksSettings> read_tracks_settings(const ModelSource& source);

}  // namespace farm
