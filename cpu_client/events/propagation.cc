#include "cpu_client/events/propagation.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace farm {

namespace {

constexpr double surface_gap = 1e-3;   ///< mm by which the next surface lies further on
constexpr double same_surface = 1e-2;  ///< mm; layers that are nearer than this are one surface
constexpr int surface_limit_count = 200;
/// Ways that are flatter than this to a surface count as this flat: windows and material stay
/// finite.
constexpr double smallest_incidence = 0.05;

double incidence(bool on_cylinder, const TrackState& state) {
    if (!on_cylinder) return std::abs(state.direction.z);
    const double r = std::max(perp(state.position), 1e-9);
    return std::abs(state.position.x * state.direction.x + state.position.y * state.direction.y) /
           r;
}

Layer::Window window_at(const Layer& layer, const TrackState& state) {
    const double r = std::max(perp(state.position), 1e-9);
    const double radial =
        (state.position.x * state.direction.x + state.position.y * state.direction.y) / r;
    const double around =
        (state.position.x * state.direction.y - state.position.y * state.direction.x) / r;
    // A forward particle crosses a thin cylinder slowly, but as straight as any other in x and y.
    const double least = layer.is_barrel() ? 0.2 * perp(state.direction) : smallest_incidence;
    const double reach =
        layer.half_depth() / std::max(incidence(layer.is_barrel(), state), std::max(least, 1e-3));
    constexpr double slack = 0.1;  // mm, for the curve
    Layer::Window window;
    window.phi = phi(state.position);
    window.phi_margin = (std::abs(around) * reach + slack) / r;
    window.along = layer.is_barrel() ? state.position.z : r;
    window.along_margin = std::abs(layer.is_barrel() ? state.direction.z : radial) * reach + slack;
    return window;
}

void scatter(TrackState& state, double angle, RandomStream& random) {
    const Vec3 t = state.direction;
    const Vec3 helper = std::abs(t.z) < 0.9 ? Vec3{0, 0, 1} : Vec3{1, 0, 0};
    const Vec3 a = unit(cross(t, helper));
    const Vec3 b = cross(t, a);
    const double along_a = angle * random.normal();
    const double along_b = angle * random.normal();
    state.direction = unit(t + along_a * a + along_b * b);
}

}  // namespace

Propagator::Propagator(const Detector& detector, const PropagationOptions& options)
    : detector_(detector), options_(options) {
    for (const PassiveCylinder& cylinder : passive_cylinders) {
        surface_at(true, cylinder.radius).passive = cylinder.material;
    }
    for (const Layer& layer : detector.layers()) {
        surface_at(layer.is_barrel(), layer.position()).layers.push_back(&layer);
    }
}

Propagator::Surface& Propagator::surface_at(bool is_cylinder, double position) {
    for (Surface& surface : surfaces_) {
        if (surface.is_cylinder == is_cylinder &&
            std::abs(surface.position - position) < same_surface) {
            return surface;
        }
    }
    return surfaces_.emplace_back(Surface{is_cylinder, position, {}, {}});
}

Propagator::Step Propagator::next_surface(const Helix& helix) const {
    Step next{nullptr, 0};
    for (const Surface& surface : surfaces_) {
        const auto s = surface.is_cylinder ? helix.to_cylinder(surface.position, surface_gap)
                                           : helix.to_disc(surface.position, surface_gap);
        if (s && (next.surface == nullptr || *s < next.s)) next = {&surface, *s};
    }
    return next;
}

/// Appends the crossings near the end of the leg, where it meets the layer's surface. A module may
/// lie behind the leg's begin, when the surface before it is nearer than the layer is deep.
void Propagator::find_crossings(const Leg& leg, const Layer& layer,
                                std::vector<ModuleCrossing>& crossings) const {
    struct Met {
        double s;
        std::uint32_t module;
    };
    thread_local std::vector<std::uint32_t> candidates;
    thread_local std::vector<Met> met;
    candidates.clear();
    met.clear();
    layer.find(window_at(layer, leg.helix.at(leg.end)), candidates);
    for (const std::uint32_t index : candidates) {
        const Module& module = detector_.modules()[index];
        const auto at = leg.helix.to_plane(module.centre, module.w, leg.end);
        if (!at || *at <= -leg.begin) continue;
        const Vec3 local = leg.helix.at(*at).position - module.centre;
        if (module.contains(dot(local, module.u), dot(local, module.v)))
            met.push_back({*at, index});
    }
    std::sort(met.begin(), met.end(), [](const Met& a, const Met& b) { return a.s < b.s; });
    for (const Met& m : met) {
        // A particle that turns back inside a layer meets its cylinder twice, but its module once.
        if (!crossings.empty() && crossings.back().module == m.module) continue;
        crossings.push_back({m.module, leg.helix.at(m.s)});
    }
}

bool Propagator::survives(const Surface& surface, const Layer* layer, TrackState& state,
                          RandomStream& random) const {
    const Material material = layer != nullptr ? material_of(*layer) : surface.passive;
    const double path = 1 / std::max(incidence(surface.is_cylinder, state), smallest_incidence);
    const double interactions = material.interaction_lengths * path * options_.interaction_scale;
    if (random.uniform() > std::exp(-interactions)) return false;
    if (material.radiation_lengths == 0) return true;
    scatter(state, highland_angle(state.momentum, material.radiation_lengths * path), random);
    return true;
}

bool Propagator::is_inside(const TrackState& state) const {
    return perp(state.position) < detector_.outer_radius() &&
           std::abs(state.position.z) < detector_.half_length();
}

std::vector<ModuleCrossing> Propagator::propagate(const TrackState& start,
                                                  RandomStream& random) const {
    std::vector<ModuleCrossing> crossings;
    TrackState state = start;
    if (state.charge == 0 || state.transverse_momentum() < options_.pt_min) return crossings;
    double turn_left = options_.turn_limit * 2 * std::numbers::pi;
    double travelled = 0;
    for (int count = 0; count < surface_limit_count && is_inside(state); ++count) {
        const Helix helix(state, options_.field_tesla);
        const Step step = next_surface(helix);
        if (step.surface == nullptr) break;
        turn_left -= std::abs(helix.turn()) * step.s;
        if (turn_left < 0) break;
        state = helix.at(step.s);
        const double along = step.surface->is_cylinder ? state.position.z : perp(state.position);
        const Layer* crossed = nullptr;
        for (const Layer* layer : step.surface->layers) {
            find_crossings({helix, travelled, step.s}, *layer, crossings);
            if (layer->spans(along)) crossed = layer;
        }
        travelled += step.s;
        if (!survives(*step.surface, crossed, state, random)) break;
    }
    return crossings;
}

}  // namespace farm
