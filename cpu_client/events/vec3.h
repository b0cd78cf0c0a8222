#pragma once

#include <cmath>

namespace farm {

/// A point (mm) or a direction.
struct Vec3 {
    double x{0}, y{0}, z{0};

    friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
    friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
    friend Vec3 operator*(double f, Vec3 a) { return {f * a.x, f * a.y, f * a.z}; }
};

inline double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(Vec3 a, Vec3 b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double norm(Vec3 a) { return std::sqrt(dot(a, a)); }
inline Vec3 unit(Vec3 a) { return (1 / norm(a)) * a; }
inline double perp(Vec3 a) { return std::hypot(a.x, a.y); }  ///< distance from the z axis
inline double phi(Vec3 a) { return std::atan2(a.y, a.x); }

}  // namespace farm
