#pragma once

#include <array>
#include <string_view>

namespace farm {

/// The stages of track finding, in the order of the rows of STAGES (milliseconds, edges left) of a
/// service with backend "tracks".
inline constexpr std::array<std::string_view, 5> track_stage_names{"embedding", "graph", "filter",
                                                                   "classifier", "tracks"};

/// Label of such a service on a GPU: its networks that run as kernels ("embedding+filter", "none").
inline constexpr std::string_view track_kernels_label{"kernels"};

}  // namespace farm
