#pragma once

#include <cstdint>
#include <vector>

#include "cpu_client/events/detector.h"
#include "cpu_client/events/random_stream.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// The cells that a particle fires, and where the cluster says it was.
struct Cluster {
    Vec3 position;            ///< mm, in the plane of the module
    std::vector<Cell> cells;  ///< hit_id 0
};

/// What a particle leaves in a module that it crosses at `position` (in the module's plane) in
/// `direction`: the cells under its way through the sensor, with the way in each (mm, read out to
/// 10 %) as signal where the pitch in v is below 1 mm (pixels), and 1 in strips. The position is
/// their mean by signal, so the resolution is what comes of pitch, angle and depth; real TrackML
/// hits are made like this (their positions are these means to 0.1 um). A barrel's sensor drifts
/// over half of the depth of an endcap's and shifts charge by the Lorentz angle, as theirs do.
Cluster digitise(const Module& module, Vec3 position, Vec3 direction, RandomStream& random);

}  // namespace farm
