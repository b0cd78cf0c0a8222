#include "cpu_client/events/helix.h"

#include <algorithm>

namespace farm {

namespace {

constexpr double straight_turn = 1e-9;  ///< rad/mm: a radius of 1000 km
constexpr double full_turn = 2 * std::numbers::pi;

/// `angle` brought into [0, 2 pi).
double positive_angle(double angle) {
    const double rest = std::fmod(angle, full_turn);
    return rest < 0 ? rest + full_turn : rest;
}

}  // namespace

Helix::Helix(const TrackState& start, double field_tesla)
    : start_(start),
      turn_(-start.charge * bending_constant * field_tesla / start.momentum),
      straight_(std::abs(turn_) < straight_turn || perp(start.direction) == 0) {
    if (straight_) return;
    const Vec3 t = start.direction;
    const Vec3 to_centre{-t.y / turn_, t.x / turn_, 0};
    const Vec3 centre = start.position + to_centre;
    radius_ = perp(to_centre);
    centre_distance_ = perp(centre);
    centre_phi_ = phi(centre);
    start_angle_ = std::atan2(-to_centre.y, -to_centre.x);
}

TrackState Helix::at(double s) const {
    TrackState state = start_;
    const Vec3 t = start_.direction;
    if (straight_) {
        state.position = start_.position + s * t;
        return state;
    }
    const double sine = std::sin(turn_ * s);
    const double half_sine = std::sin(turn_ * s / 2);
    const double versine = 2 * half_sine * half_sine;  // 1 - cos without cancellation
    state.position = start_.position + Vec3{(t.x * sine - t.y * versine) / turn_,
                                            (t.y * sine + t.x * versine) / turn_, t.z * s};
    state.direction = {t.x - t.x * versine - t.y * sine, t.y - t.y * versine + t.x * sine, t.z};
    return state;
}

std::optional<double> Helix::to_cylinder(double r, double s_min) const {
    if (straight_) return line_to_cylinder(r, s_min);
    const double cosine = (r * r - centre_distance_ * centre_distance_ - radius_ * radius_) /
                          (2 * centre_distance_ * radius_);
    if (!(std::abs(cosine) <= 1)) return std::nullopt;  // also when it circles the axis
    const double half_opening = std::acos(cosine);
    const double sign = turn_ > 0 ? 1 : -1;
    const double after = sign * turn_ * s_min;
    double nearest = 2 * full_turn;
    for (const double angle : {centre_phi_ + half_opening, centre_phi_ - half_opening}) {
        nearest = std::min(nearest, positive_angle(sign * (angle - start_angle_) - after));
    }
    return s_min + nearest / std::abs(turn_);
}

std::optional<double> Helix::line_to_cylinder(double r, double s_min) const {
    const Vec3 x = start_.position;
    const Vec3 t = start_.direction;
    const double a = t.x * t.x + t.y * t.y;
    const double b = x.x * t.x + x.y * t.y;
    const double discriminant = b * b - a * (x.x * x.x + x.y * x.y - r * r);
    if (a == 0 || discriminant < 0) return std::nullopt;
    for (const double root : {-std::sqrt(discriminant), std::sqrt(discriminant)}) {
        if (const double s = (root - b) / a; s > s_min) return s;
    }
    return std::nullopt;
}

std::optional<double> Helix::to_disc(double z, double s_min) const {
    const double s = (z - start_.position.z) / start_.direction.z;
    if (!(s > s_min) || !std::isfinite(s)) return std::nullopt;
    return s;
}

/// Newton's method: near a layer the way is almost straight, and two or three steps are exact.
std::optional<double> Helix::to_plane(Vec3 point, Vec3 normal, double guess) const {
    constexpr double tolerance = 1e-6;  // mm
    double s = guess;
    for (int step = 0; step < 8; ++step) {
        const TrackState state = at(s);
        const double distance = dot(state.position - point, normal);
        const double slope = dot(state.direction, normal);
        if (std::abs(slope) < 1e-3) return std::nullopt;  // grazes the plane
        s -= distance / slope;
        if (std::abs(distance / slope) < tolerance) return s;
    }
    return std::nullopt;
}

}  // namespace farm
