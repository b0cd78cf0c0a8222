#pragma once

#include <numbers>
#include <optional>

#include "cpu_client/events/vec3.h"

namespace farm {

/// GeV/c per tesla and mm of radius.
inline constexpr double bending_constant = 0.299792458e-3;

/// A charged particle at one point of its way.
struct TrackState {
    Vec3 position;       ///< mm
    Vec3 direction;      ///< unit length
    double momentum{0};  ///< GeV
    int charge{0};       ///< in units of e

    double transverse_momentum() const { return momentum * perp(direction); }
};

/// The way of a particle in a field along z, by path length s (mm) from where it starts; a straight
/// line without charge or field. Positive particles turn clockwise where the field points along +z.
class Helix {
  public:
    Helix(const TrackState& start, double field_tesla);

    TrackState at(double s) const;
    /// Angle in radians by which the direction turns in one mm.
    double turn() const { return turn_; }

    /// The first s > s_min at which it meets the cylinder of radius r about the z axis.
    std::optional<double> to_cylinder(double r, double s_min) const;
    /// The s > s_min at which it meets the plane at z.
    std::optional<double> to_disc(double z, double s_min) const;
    /// The s near `guess` at which it meets the plane through `point` with unit normal `normal`.
    std::optional<double> to_plane(Vec3 point, Vec3 normal, double guess) const;

  private:
    std::optional<double> line_to_cylinder(double r, double s_min) const;

    TrackState start_;
    double turn_;
    bool straight_;
    double radius_{0};  ///< of the circle in x and y
    double centre_distance_{0};
    double centre_phi_{0};
    double start_angle_{0};  ///< of the start, seen from the centre
};

}  // namespace farm
