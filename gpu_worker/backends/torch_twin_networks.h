#pragma once

#include <memory>

#include "gpu_worker/backends/torch_program.h"
#include "gpu_worker/backends/torch_stream.h"
#include "gpu_worker/backends/track_networks.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

namespace farm {

/// TorchScript programs as the networks of a TwinTrackFinder; track_networks.h says what forward()
/// takes. Null for a stage that needs none.
struct TwinPrograms {
    std::shared_ptr<const TorchProgram> embedding;
    std::shared_ptr<const TorchProgram> filter;
    std::shared_ptr<const TorchProgram> classifier;
};

/// On the device of the programs, where the finder has its memory, and on its stream.
tracking::twin::TwinNetworks make_twin_networks(const TwinPrograms& programs,
                                                EdgeNetworkInput filter_input,
                                                const TorchStream& stream);

}  // namespace farm
