#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/core/expect.h"
#include "cpu_client/events/detector.h"

namespace farm {

namespace {

constexpr double full_turn = 2 * std::numbers::pi;
constexpr std::size_t bin_limit_count = 512;  ///< on each axis

double wrapped(double angle) { return std::remainder(angle, full_turn); }

std::vector<Vec3> corners(const Module& module) {
    std::vector<Vec3> found;
    for (const double v : {-module.half_v, module.half_v}) {
        const double half = module.half_width(v);
        for (const double u : {-half, half}) {
            found.push_back(module.centre + u * module.u + v * module.v);
        }
    }
    return found;
}

/// For a module across the axis.
Vec3 nearest_to_axis(const Module& module) {
    const double v = std::clamp(-dot(module.centre, module.v) + module.centre.z * module.v.z,
                                -module.half_v, module.half_v);
    const double half = module.half_width(v);
    const double u =
        std::clamp(-dot(module.centre, module.u) + module.centre.z * module.u.z, -half, half);
    return module.centre + u * module.u + v * module.v;
}

std::size_t bins_for(double length, double largest_half) {
    const double bins = largest_half > 0 ? length / (2 * largest_half) : 1;
    return std::clamp<std::size_t>(static_cast<std::size_t>(std::min(bins, 1e6)), 1,
                                   bin_limit_count);
}

/// The smallest and largest value seen.
struct Range {
    double min{1e300}, max{-1e300};
    void add(double value) {
        min = std::min(min, value);
        max = std::max(max, value);
    }
    double middle() const { return (min + max) / 2; }
    double half() const { return (max - min) / 2; }
};

}  // namespace

Layer::Layer(const std::vector<Module>& modules, std::vector<std::uint32_t> members) {
    FARM_EXPECT(!members.empty());
    is_barrel_ = modules[members.front()].in_barrel();
    half_thickness_ = modules[members.front()].half_thickness;
    Range centres, depth, all_along;
    std::vector<Extent> extents;
    for (const std::uint32_t member : members) {
        const Module& module = modules[member];
        const double centre_phi = phi(module.centre);
        Range along;
        double half_phi = 0;
        centres.add(is_barrel_ ? perp(module.centre) : module.centre.z);
        // A flat module of a barrel is nearest to the axis at the foot of the perpendicular.
        depth.add(is_barrel_ ? std::abs(dot(module.centre, module.w)) : module.centre.z);
        for (const Vec3 corner : corners(module)) {
            depth.add(is_barrel_ ? perp(corner) : corner.z);
            along.add(is_barrel_ ? corner.z : perp(corner));
            half_phi = std::max(half_phi, std::abs(wrapped(phi(corner) - centre_phi)));
        }
        if (!is_barrel_) {  // the corners are not nearest to the axis, which may even go through it
            const double nearest = perp(nearest_to_axis(module));
            along.add(nearest);
            if (nearest < 1e-9) half_phi = std::numbers::pi;
        }
        all_along.add(along.min);
        all_along.add(along.max);
        largest_half_phi_ = std::max(largest_half_phi_, half_phi);
        largest_half_along_ = std::max(largest_half_along_, along.half());
        extents.push_back({member, centre_phi, half_phi, along.middle(), along.half()});
    }
    position_ = centres.middle();
    half_depth_ = std::max(depth.max - position_, position_ - depth.min);
    along_min_ = all_along.min;
    along_max_ = all_along.max;
    phi_bin_count_ = bins_for(full_turn, largest_half_phi_);
    along_bin_count_ = bins_for(along_max_ - along_min_, largest_half_along_);

    const auto bin = [this](const Extent& e) {
        return along_bin(e.along) * phi_bin_count_ + phi_bin(e.phi);
    };
    std::stable_sort(extents.begin(), extents.end(),
                     [&](const Extent& a, const Extent& b) { return bin(a) < bin(b); });
    bin_begin_.assign(phi_bin_count_ * along_bin_count_ + 1, 0);
    for (const Extent& extent : extents) ++bin_begin_[bin(extent) + 1];
    for (std::size_t i = 1; i < bin_begin_.size(); ++i) bin_begin_[i] += bin_begin_[i - 1];
    extents_ = std::move(extents);
}

std::size_t Layer::phi_bin(double angle) const {
    const double turns = wrapped(angle) / full_turn + 0.5;
    const auto bin = static_cast<std::size_t>(turns * static_cast<double>(phi_bin_count_));
    return std::min(bin, phi_bin_count_ - 1);
}

std::size_t Layer::along_bin(double along) const {
    const double part = (along - along_min_) / std::max(along_max_ - along_min_, 1e-9);
    const auto bin = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) *
                                              static_cast<double>(along_bin_count_));
    return std::min(bin, along_bin_count_ - 1);
}

void Layer::find(const Window& window, std::vector<std::uint32_t>& found) const {
    const double phi_reach = window.phi_margin + largest_half_phi_;
    const double along_reach = window.along_margin + largest_half_along_;
    const std::size_t first_along = along_bin(window.along - along_reach);
    const std::size_t last_along = along_bin(window.along + along_reach);
    std::size_t first_phi = 0;
    std::size_t phi_count = phi_bin_count_;
    if (phi_reach < full_turn / 4) {  // else all around
        first_phi = phi_bin(window.phi - phi_reach);
        const std::size_t last_phi = phi_bin(window.phi + phi_reach);
        phi_count = (last_phi + phi_bin_count_ - first_phi) % phi_bin_count_ + 1;
    }
    for (std::size_t row = first_along; row <= last_along; ++row) {
        for (std::size_t k = 0; k < phi_count; ++k) {
            const std::size_t bin = row * phi_bin_count_ + (first_phi + k) % phi_bin_count_;
            for (std::uint32_t i = bin_begin_[bin]; i < bin_begin_[bin + 1]; ++i) {
                const Extent& e = extents_[i];
                if (std::abs(e.along - window.along) <= e.half_along + window.along_margin &&
                    std::abs(wrapped(e.phi - window.phi)) <= e.half_phi + window.phi_margin) {
                    found.push_back(e.module);
                }
            }
        }
    }
}

}  // namespace farm
