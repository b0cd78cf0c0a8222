#pragma once

#include <array>
#include <string_view>

namespace farm {

/// The stages of track finding, in the order of the rows of STAGES (milliseconds, edges left) of a
/// service with backend "tracks".
inline constexpr std::array<std::string_view, 5> track_stage_names{"embedding", "graph", "filter",
                                                                   "classifier", "tracks"};

}  // namespace farm
