#pragma once

#include <array>
#include <cmath>

#include "cpu_client/events/detector.h"

namespace farm {

/// Passive cylinders of the generic detector (GenericDetectorBuilder of ACTS), in mm. Those of its
/// radii that the source does not say are where secondary vertices of real TrackML events cluster.
struct PassiveCylinder {
    double radius;
    double radiation_lengths;
};
inline constexpr std::array passive_cylinders{PassiveCylinder{19, 0.0023},  // beam pipe, 0.8 mm Be
                                              PassiveCylinder{200, 0.0051}};  // support, 1.8 mm Be

/// What a particle crosses in a layer at right angle: GenericDetectorBuilder of ACTS puts 1.5 mm of
/// silicon on a pixel module, 2 mm (barrel) or 2.5 mm (endcap) on short, 2.5 or 3.5 mm on long
/// strips. The module's own thickness in the detector file tells which of the three it is.
inline double radiation_lengths(const Layer& layer) {
    constexpr double silicon_mm = 95.7;
    if (layer.half_thickness() < 0.2) return 1.5 / silicon_mm;
    if (layer.half_thickness() < 0.3) return (layer.is_barrel() ? 2.0 : 2.5) / silicon_mm;
    return (layer.is_barrel() ? 2.5 : 3.5) / silicon_mm;
}

/// Width of the angle in one plane by which a particle of charge 1 scatters (Highland, as in the
/// Review of Particle Physics, eq. 34.16); momentum in GeV, a pion.
inline double highland_angle(double momentum, double radiation_lengths) {
    constexpr double pion_mass = 0.13957;
    const double beta = momentum / std::hypot(momentum, pion_mass);
    const double logarithm = 1 + 0.038 * std::log(radiation_lengths);
    return 0.0136 / (beta * momentum) * std::sqrt(radiation_lengths) * std::max(logarithm, 0.1);
}

}  // namespace farm
