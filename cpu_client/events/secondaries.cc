#include "cpu_client/events/secondaries.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <unordered_map>

#include "cpu_client/events/drawn_particle.h"
#include "cpu_client/events/helix.h"
#include "cpu_client/events/quantiles.h"

namespace farm {

namespace {

// Figures of the 3 695 particles in the real event 1000 whose vertices have r > 1 mm, as quantiles
// of its list. Momentum, radius and number of particles at a vertex are drawn each for itself but
// for the radius by the hardest pT.

/// Shares above 3, 5 and 10 GeV are 21, 9 and 7 particles.
constexpr FallingSpectrum<16> secondary_pt{
    {.1, .102, .11, .12, .155, .231, .344, .484, .608, .748, 1, 2, 3, 5, 10, 55.6},
    {1, .99, .95, .9, .75, .5, .25, .1, .07, .05, .0346, .01, .00568, .00244, .00189, .00027}};

constexpr std::array r_shares{0.0, .05, .1,  .15, .2,  .25, .3,  .35, .4,  .45, .5,
                              .55, .6,  .65, .7,  .75, .8,  .85, .9,  .95, 1.0};
/// Vertices by the pT of their hardest particle; the steps are beam pipe and layers.
struct RadiusOfVertex {
    double pt_below;
    Quantiles<21> r;
};
constexpr std::array radius_of_vertex{
    RadiusOfVertex{.3,
                   {r_shares, {1.1, 6.6, 19,    20.4,  32.3, 35.5,  39.9,  68.9,  75,  115.6, 149.5,
                               200, 200, 255.4, 259.1, 316,  358.5, 494.9, 600.6, 816, 987}}},
    RadiusOfVertex{1,
                   {r_shares, {1,     5.9,   10.6, 19,    21.8,  31.5,  34.8,  39.9, 50.6, 65.4, 75,
                               116.2, 171.5, 200,  254.8, 256.9, 318.4, 365.8, 499,  752,  991}}},
    RadiusOfVertex{
        1e9, {r_shares, {1.2,  2.9,   7.6,   11.5,  14.4,  20.1,  22,    31.5,  41.5,  48.9, 58.7,
                         79.5, 112.6, 131.8, 168.3, 203.9, 226.3, 275.4, 334.7, 458.7, 959}}}};
constexpr std::array secondary_count_share{0.414, 0.846, 0.973, 0.994};  ///< up to 1, 2, 3, 4
constexpr double furthest_z = 2950;
constexpr double furthest_eta = 4;

// Directions are relative to that from the origin to the vertex: dphi without its sign, and deta,
// which counts up along the beam. Soft particles are of two kinds: some fly on as what they come
// from did (|dphi| < 0.8 and |deta| < 0.4 in the real list); the rest fly anywhere, inward, too,
// and their eta hardly depends on the vertex's. Harder ones all fly on, to a few tenths.
constexpr std::array angle_shares{0.0, .05, .1, .25, .5, .75, .9, .95, 1.0};
using AngleQuantiles = Quantiles<9>;

constexpr AngleQuantiles soft_along_dphi{angle_shares,
                                         {.002, .017, .053, .138, .333, .544, .688, .768, .8}};
constexpr AngleQuantiles soft_along_deta{angle_shares,
                                         {-.4, -.364, -.329, -.204, -.036, .082, .224, .295, .4}};
constexpr AngleQuantiles soft_rest_dphi{
    angle_shares, {.002, .135, .287, .708, 1.446, 2.284, 2.766, 2.956, 3.1415}};
constexpr AngleQuantiles soft_rest_eta{angle_shares,
                                       {-2.206, -1.133, -.902, -.437, .144, .796, 1.602, 2.506, 4}};
constexpr AngleQuantiles middle_along_dphi{angle_shares,
                                           {0, .019, .032, .082, .204, .33, .474, .565, .733}};
constexpr AngleQuantiles middle_along_deta{
    angle_shares, {-.395, -.338, -.29, -.205, -.072, .047, .196, .261, .385}};
constexpr AngleQuantiles middle_rest_dphi{
    angle_shares, {.001, .075, .156, .462, 1.227, 2.162, 2.737, 2.905, 3.13}};
constexpr AngleQuantiles middle_rest_eta{
    angle_shares, {-1.649, -.683, -.505, -.197, .163, .652, 1.613, 2.266, 4}};
constexpr Quantiles<11> hard_dphi{{0, .01, .05, .1, .25, .5, .75, .9, .95, .99, 1},
                                  {0, .001, .006, .008, .027, .05, .089, .122, .156, .251, 1.114}};
constexpr Quantiles<11> hard_deta{
    {0, .01, .05, .1, .25, .5, .75, .9, .95, .99, 1},
    {-1.988, -1.472, -.263, -.166, -.073, -.02, .051, .135, .27, .369, .536}};

constexpr double far_r = 200;  ///< mm, where the products of long-lived particles become rare
struct AlongShare {
    double pt_below, near, far;
};
constexpr std::array along_share{AlongShare{.3, .08, .07}, AlongShare{.6, .31, .07},
                                 AlongShare{1, .80, .36}};
constexpr double middle_pt = 0.3;
constexpr double hard_pt = 1;

double pt_of(const Particle& p) { return std::hypot(p.px, p.py); }

struct Angles {
    double phi, eta;
};

Angles draw_direction(double pt, Vec3 vertex, RandomStream& random) {
    const double vertex_eta = std::asinh(std::abs(vertex.z) / perp(vertex));
    const double place = random.uniform();
    const double sign = random.uniform() < 0.5 ? -1 : 1;
    double dphi = 0, eta = 0;
    if (pt >= hard_pt) {
        dphi = hard_dphi.at(place);
        eta = vertex_eta + hard_deta.at(random.uniform());
    } else {
        const auto* share = std::find_if(along_share.begin(), along_share.end() - 1,
                                         [&](const AlongShare& s) { return pt < s.pt_below; });
        const bool is_soft = pt < middle_pt;
        if (random.uniform() < (perp(vertex) < far_r ? share->near : share->far)) {
            dphi = (is_soft ? soft_along_dphi : middle_along_dphi).at(place);
            eta = vertex_eta + (is_soft ? soft_along_deta : middle_along_deta).at(random.uniform());
        } else {
            dphi = (is_soft ? soft_rest_dphi : middle_rest_dphi).at(place);
            eta = (is_soft ? soft_rest_eta : middle_rest_eta).at(random.uniform());
        }
    }
    eta = std::clamp(eta, -furthest_eta, furthest_eta);
    return {phi(vertex) + sign * dphi, std::copysign(1.0, vertex.z) * eta};
}

struct SecondaryVertex {
    Vec3 position;
    const Particle* parent;
};

class SecondaryDraw {
  public:
    SecondaryDraw(const std::vector<Particle>& primaries, const SecondaryOptions& options,
                  RandomStream& random)
        : options_(options), random_(random) {
        for (const Particle& p : primaries) parents_.push_back(&p);
        std::stable_sort(
            parents_.begin(), parents_.end(),
            [](const Particle* a, const Particle* b) { return pt_of(*a) > pt_of(*b); });
    }

    std::vector<Particle> draw() {
        for (std::size_t i = 0; i < parents_.size(); ++i) {
            if (random_.uniform() < options_.vertices) draw_vertex();
        }
        return std::move(secondaries_);
    }

  private:
    void draw_vertex() {
        std::vector<double> pts = draw_momenta();
        const double hardest = *std::max_element(pts.begin(), pts.end());
        const auto vertex = draw_place(hardest);
        if (!vertex) return;
        const std::uint64_t interaction = interaction_of(vertex->parent->particle_id);
        const std::uint32_t vertex_number = ++vertex_count_[interaction];
        if (vertex_number > vertex_limit_count) return;
        std::uint32_t number = 0;
        for (double pt : pts) {
            pt = std::min(pt, pt_of(*vertex->parent));
            const Angles angles = draw_direction(pt, vertex->position, random_);
            const std::uint64_t id = make_particle_id(interaction, vertex_number, ++number);
            secondaries_.push_back(make_particle(id, vertex->position, {pt, angles.phi, angles.eta},
                                                 random_.uniform() < 0.5 ? -1 : 1));
        }
    }

    std::vector<double> draw_momenta() {
        const auto place = std::upper_bound(secondary_count_share.begin(),
                                            secondary_count_share.end(), random_.uniform());
        std::vector<double> pts(static_cast<std::size_t>(place - secondary_count_share.begin()) +
                                1);
        for (double& pt : pts) pt = secondary_pt.at(random_.uniform());
        return pts;
    }

    /// On the helix of a primary with at least that pT, any of those that come so far. When they
    /// leave the detector before that, because they fly forward, the vertex moves in; none when
    /// they begin outside.
    std::optional<SecondaryVertex> draw_place(double hardest) {
        constexpr int tries_at_one_radius = 8;
        constexpr int try_limit_count = 64;
        const auto* table =
            std::find_if(radius_of_vertex.begin(), radius_of_vertex.end() - 1,
                         [&](const RadiusOfVertex& row) { return hardest < row.pt_below; });
        double r = table->r.at(random_.uniform());
        for (int tries = 1; tries <= try_limit_count; ++tries) {
            const Particle& parent = draw_parent(std::max(hardest, pt_that_reaches(r)));
            if (const auto position = place_on_way(parent, r)) {
                return SecondaryVertex{*position, &parent};
            }
            if (tries % tries_at_one_radius == 0) r /= 2;
        }
        return std::nullopt;
    }

    double pt_that_reaches(double r) const {
        constexpr double margin = 1.01;  // vertices lie beside the beam line
        return margin * bending_constant * std::abs(options_.field_tesla) * r / 2;
    }

    /// The hardest primary if none has that pT.
    const Particle& draw_parent(double pt_min) {
        const auto end =
            std::partition_point(parents_.begin(), parents_.end(),
                                 [&](const Particle* p) { return pt_of(*p) >= pt_min; });
        const auto count = std::max<std::ptrdiff_t>(end - parents_.begin(), 1);
        return *parents_[random_.below(static_cast<std::uint32_t>(count))];
    }

    std::optional<Vec3> place_on_way(const Particle& parent, double r) const {
        const Helix helix(start_of(parent), options_.field_tesla);
        const auto s = helix.to_cylinder(r, 0);
        if (!s) return std::nullopt;
        const Vec3 position = helix.at(*s).position;
        if (std::abs(position.z) > furthest_z) return std::nullopt;
        return position;
    }

    const SecondaryOptions& options_;
    RandomStream& random_;
    std::vector<const Particle*> parents_;  ///< hardest first
    std::unordered_map<std::uint64_t, std::uint32_t> vertex_count_;
    std::vector<Particle> secondaries_;
};

}  // namespace

std::vector<Particle> draw_secondaries(const std::vector<Particle>& primaries,
                                       const SecondaryOptions& options, RandomStream& random) {
    return SecondaryDraw(primaries, options, random).draw();
}

}  // namespace farm
