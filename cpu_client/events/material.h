#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "cpu_client/events/detector.h"

namespace farm {

/// What a particle crosses at right angle, in units of radiation and nuclear interaction lengths.
struct Material {
    double radiation_lengths{0};
    double interaction_lengths{0};
};
inline constexpr Material silicon(double mm) { return {mm / 95.7, mm / 465.2}; }
inline constexpr Material beryllium(double mm) { return {mm / 352.8, mm / 421.0}; }

/// Cylinders without modules. Thickness from the generic detector of ACTS, radius of the support
/// from where secondary vertices of real TrackML events cluster; mm.
struct PassiveCylinder {
    double radius;
    Material material;
};
inline constexpr std::array passive_cylinders{PassiveCylinder{19, beryllium(0.8)},    // beam pipe
                                              PassiveCylinder{200, beryllium(1.8)}};  // support

/// ACTS (GenericDetectorBuilder) puts 1.5 mm of silicon on a pixel module, 2 mm (barrel) or 2.5 mm
/// (endcap) on short, 2.5 or 3.5 mm on long strips. The thickness of the sensors in the detector
/// file tells which of the three it is.
inline Material material_of(const Layer& layer) {
    if (layer.half_thickness() < 0.2) return silicon(1.5);
    if (layer.half_thickness() < 0.3) return silicon(layer.is_barrel() ? 2.0 : 2.5);
    return silicon(layer.is_barrel() ? 2.5 : 3.5);
}

/// Width of the angle in one plane by which a particle of charge 1 scatters (Highland, as in the
/// Review of Particle Physics, eq. 34.16); momentum in GeV, a pion.
inline double highland_angle(double momentum, double radiation_lengths) {
    constexpr double pion_mass = 0.13957;
    const double beta = momentum / std::hypot(momentum, pion_mass);
    const double logarithm = 1 + 0.038 * std::log(radiation_lengths / (beta * beta));
    return 0.0136 / (beta * momentum) * std::sqrt(radiation_lengths) * std::max(logarithm, 0.1);
}

}  // namespace farm
