#pragma once

#include <cstddef>

#include "common/core/error.h"
#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/limits.h"

namespace farm::tracking {

/// Millimetres and radians of one unit of each column of the features (r, phi, z).
struct SpacePointScales {
    float r{1000};
    float phi{3.14159265F};
    float z{1000};
};

/// Which two hits may be neighbours on a track from the beam line, as the module map's windows of a
/// doublet are.
struct DoubletConfig {
    float least_dr{1};           ///< mm, outer less inner radius
    float largest_dr{200};       ///< mm
    float largest_dphi{0.1F};    ///< rad
    float largest_slope{6e-4F};  ///< rad/mm, |dphi/dr|: 0.5 GeV at 2 T, whose R is 833 mm: 1/(2 R)
    float largest_z0{200};       ///< mm, where the line through both meets the beam line
    std::size_t edge_limit{limits::edge_count};
    std::size_t pair_limit{limits::pair_count};  ///< pairs within largest_dphi, which cost time
};

/// Errors: invalid for a window without sense.
Result<void> check_windows(const DoubletConfig& config);

/// A graph of space points (r, phi, z) without a network: all pairs inside the windows. Like
/// radius_graph(): each pair once, from the larger to the smaller index, ascending.
///
/// Sorts by phi and looks at what lies within largest_dphi, so the time goes with points^2 *
/// largest_dphi. Runs on oneTBB's threads; pure.
/// Errors: those of check_points() and check_windows(); invalid for features that are not three;
/// too_large for more than `edge_limit` edges or `pair_limit` pairs to look at.
Result<Edges> doublet_graph(const Points& features, const SpacePointScales& scales,
                            const DoubletConfig& config);

}  // namespace farm::tracking
