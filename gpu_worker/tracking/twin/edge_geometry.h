#pragma once

#include <cmath>
#include <cstddef>

#include "gpu_worker/tracking/twin/lane.h"

/// What our networks see of a space point, and of an edge between two (training/eventfarm_train/
/// networks.py: point_geometry(), edge_geometry(), outward()).
namespace farm::tracking::twin {

/// r / 1000 mm, phi / pi, z / 1000 mm.
struct SpacePointRow {
    float r;
    float phi;
    float z;

    FARM_LANE explicit SpacePointRow(const float* row) : r(row[0]), phi(row[1]), z(row[2]) {}

    FARM_LANE float eta() const { return std::asinh(z / (r > 1e-3F ? r : 1e-3F)); }
    FARM_LANE float square_distance() const { return sum_of_squares(r, z); }
};

/// An edge from the end that is nearer to the origin; as it is given where both are as near.
struct OutwardEnds {
    Index inner;
    Index outer;

    FARM_LANE OutwardEnds(const float* points, Index source, Index target)
        : inner(source), outer(target) {
        if (!(row(points, source).square_distance() > row(points, target).square_distance()))
            return;
        inner = target;
        outer = source;
    }

    FARM_LANE static SpacePointRow row(const float* points, Index point) {
        return SpacePointRow(points + static_cast<std::size_t>(point) * 3);
    }
};

inline constexpr int point_feature_count = 12;
inline constexpr int edge_feature_count = 11;

/// Where a point lies, whatever its phi.
FARM_LANE inline void write_point_features(const SpacePointRow& at, float* features) {
    const float eta = at.eta();
    const float waves[4] = {8 * at.r, 16 * at.r, 4 * at.z, 2 * eta};
    features[0] = 2 * at.r;
    features[1] = at.z;
    features[2] = 0.5F * eta;
    features[3] = 0.1F / (at.r + 0.05F);
    for (int k = 0; k < 4; ++k) {
        features[4 + k] = std::cos(waves[k]);
        features[8 + k] = std::sin(waves[k]);
    }
}

/// What a straight line along z and a circle through the beam say about an edge outward. The first
/// two change sign in the mirror image.
FARM_LANE inline void write_edge_features(const SpacePointRow& inner, const SpacePointRow& outer,
                                          float* features) {
    constexpr float pi = 3.14159265358979F;
    const float turn = (outer.phi - inner.phi) * pi;
    const float dphi = std::atan2(std::sin(turn), std::cos(turn));
    const float dr = outer.r - inner.r;
    const float dz = outer.z - inner.z;
    const float half = std::sin(0.5F * dphi);
    const float chord = std::sqrt(dr * dr + 4 * inner.r * outer.r * half * half + 1e-9F);
    const float curvature = 2 * std::sin(dphi) / chord;
    const float slope = std::asinh(dz / chord);
    const float z0 = inner.z - inner.r * dz / chord;
    const float eta = inner.eta();
    features[0] = std::asinh(10 * curvature);
    features[1] = std::asinh(50 * dphi);
    features[2] = slope;
    features[3] = std::asinh(50 * z0);
    features[4] = std::asinh(20 * (outer.eta() - eta));
    features[5] = std::asinh(10 * (slope - eta));
    features[6] = 3 * dr;
    features[7] = std::asinh(5 * dz);
    features[8] = 0.25F * std::log(chord * chord + dz * dz);
    features[9] = std::cos(6 * slope);
    features[10] = std::sin(6 * slope);
}

}  // namespace farm::tracking::twin
