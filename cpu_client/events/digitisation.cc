#include "cpu_client/events/digitisation.h"

#include <algorithm>
#include <cmath>

namespace farm {

namespace {

constexpr double strip_pitch_mm = 1;      ///< in v, from which on cells count as strips
constexpr double lorentz_tangent = 0.12;  ///< from the shift of real clusters of volume 8 and 13
constexpr double signal_spread = 0.1;     ///< relative, of one cell
constexpr double largest_slope = 20;

/// The way through the sensor in the module's plane; t runs from 0 to 1.
struct Segment {
    double u, v;  ///< where it begins, from the sensor's lower corner
    double du, dv;
    double length;  ///< in space, mm
};

Segment way_through(const Module& module, Vec3 position, Vec3 direction) {
    const double depth = (module.in_barrel() ? 1 : 2) * module.half_thickness;
    const double along_w = dot(direction, module.w);
    const double steep = std::copysign(std::max(std::abs(along_w), 1 / largest_slope), along_w);
    const double shift = module.in_barrel() ? lorentz_tangent : 0;
    const Vec3 local = position - module.centre;
    Segment way{};
    way.du = depth * (dot(direction, module.u) / steep - shift);
    way.dv = depth * dot(direction, module.v) / steep;
    way.u = dot(local, module.u) + module.max_half_u - way.du / 2;
    way.v = dot(local, module.v) + module.half_v - way.dv / 2;
    way.length = depth / std::abs(steep);
    return way;
}

/// Where t comes to the next cell boundary in one direction, and how far apart these are.
struct Boundary {
    Boundary(double begin, double change, double pitch) : cell(std::floor(begin / pitch)) {
        if (change == 0) return;
        sign = change > 0 ? 1 : -1;
        t_step = pitch / std::abs(change);
        t_next = ((sign > 0 ? cell + 1 : cell) * pitch - begin) / change;
    }
    void cross() {
        cell += sign;
        t_next += t_step;
    }
    double cell;
    double sign{0};
    double t_next{2}, t_step{2};  ///< beyond the end
};

struct Channels {
    double u_count, v_count;
    bool hold(double u, double v) const { return u >= 0 && v >= 0 && u < u_count && v < v_count; }
};

}  // namespace

Cluster digitise(const Module& module, Vec3 position, Vec3 direction, RandomStream& random) {
    const Segment way = way_through(module, position, direction);
    const bool is_strip = module.pitch_v > strip_pitch_mm;
    const Channels channels{std::ceil(2 * module.max_half_u / module.pitch_u),
                            std::ceil(2 * module.half_v / module.pitch_v)};
    Boundary u(way.u, way.du, module.pitch_u);
    Boundary v(way.v, way.dv, module.pitch_v);
    Cluster cluster;
    double sum = 0, sum_u = 0, sum_v = 0;
    for (double t = 0; t < 1;) {
        const double t_end = std::min({u.t_next, v.t_next, 1.0});
        if (t_end > t && channels.hold(u.cell, v.cell)) {
            const double spread = std::max(1 + signal_spread * random.normal(), 0.1);
            const double signal = is_strip ? 1 : (t_end - t) * way.length * spread;
            cluster.cells.push_back({0, static_cast<std::int32_t>(u.cell),
                                     static_cast<std::int32_t>(v.cell),
                                     static_cast<float>(signal)});
            sum += signal;
            sum_u += signal * (u.cell + 0.5);
            sum_v += signal * (v.cell + 0.5);
        }
        t = t_end;
        (u.t_next <= v.t_next ? u : v).cross();
    }
    if (sum == 0) return cluster;
    cluster.position = module.centre +
                       (sum_u / sum * module.pitch_u - module.max_half_u) * module.u +
                       (sum_v / sum * module.pitch_v - module.half_v) * module.v;
    return cluster;
}

}  // namespace farm
