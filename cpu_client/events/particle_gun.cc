#include "cpu_client/events/particle_gun.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "cpu_client/events/random_stream.h"
#include "cpu_client/events/stream_purpose.h"
#include "cpu_client/events/vec3.h"

namespace farm {

namespace {

constexpr double full_turn = 2 * std::numbers::pi;
constexpr std::uint32_t vertex_limit_count = 4095;  ///< 12 bits of particle_id
constexpr std::uint32_t particle_limit_count = 65'535;

/// A distribution given by its quantiles; linear between them, or linear in the logarithm.
template <std::size_t count>
struct Quantiles {
    std::array<double, count> share;
    std::array<double, count> value;

    double at(double p) const {
        const auto place = std::upper_bound(share.begin() + 1, share.end() - 1, p);
        const auto i = static_cast<std::size_t>(place - share.begin());
        const double part = (p - share[i - 1]) / (share[i] - share[i - 1]);
        return value[i - 1] + part * (value[i] - value[i - 1]);
    }
};

// Secondaries of the real event 1000 (vertices with r > 1 mm); the steps in r are its layers.
constexpr Quantiles<21> secondary_r{
    {0, .05, .1, .15, .2, .25, .3, .35, .4, .45, .5, .55, .6, .65, .7, .75, .8, .85, .9, .95, 1},
    {1,     7.3, 19,    19.9,  31.6, 35.3,  38.2,  53.5,  71.9,  91.5, 118.8,
     174.7, 200, 248.1, 255.4, 274,  356.3, 471.6, 571.6, 814.6, 991}};
constexpr Quantiles<11> secondary_pt{{0, .01, .05, .1, .25, .5, .75, .9, .95, .99, 1},
                                     {.1, .102, .11, .12, .155, .231, .344, .484, .748, 2, 10}};
constexpr Quantiles<11> secondary_abs_eta{
    {0, .01, .05, .1, .25, .5, .75, .9, .95, .99, 1},
    {0, .012, .061, .116, .278, .615, 1.191, 2.26, 3.016, 3.788, 4}};
constexpr Quantiles<9> secondary_abs_dphi{{0, .05, .1, .25, .5, .75, .9, .95, 1},
                                          {0, .045, .098, .354, 1.059, 2.099, 2.7, 2.905, 3.1415}};
constexpr std::array secondary_count_share{0.414, 0.846, 0.973, 0.994};  ///< up to 1, 2, 3, 4
constexpr double same_side_share = 0.64;  ///< of secondaries whose eta has their vertex's sign
constexpr double furthest_z = 2950;

/// Inverse of the cumulative Tsallis distribution between pt_min and 100 GeV, by numbers.
class TsallisTable {
  public:
    explicit TsallisTable(const CollisionOptions& o) {
        constexpr double pion_mass = 0.13957;
        const double step = std::log(100 / o.pt_min) / (size - 1);
        double sum = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const double pt = o.pt_min * std::exp(step * static_cast<double>(i));
            const double mt = std::hypot(pt, pion_mass);
            const double nt = o.tsallis_power * o.tsallis_temperature;
            pt_[i] = pt;
            cumulative_[i] = sum;
            sum += pt * pt * std::pow(1 + (mt - pion_mass) / nt, -o.tsallis_power);
        }
        for (double& value : cumulative_) value /= cumulative_.back();
    }
    double at(double p) const {
        const auto place = std::upper_bound(cumulative_.begin() + 1, cumulative_.end() - 1, p);
        const auto i = static_cast<std::size_t>(place - cumulative_.begin());
        const double part = (p - cumulative_[i - 1]) / (cumulative_[i] - cumulative_[i - 1]);
        return pt_[i - 1] + part * (pt_[i] - pt_[i - 1]);
    }

  private:
    static constexpr std::size_t size = 2048;
    std::array<double, size> pt_{}, cumulative_{};
};

struct Kinematics {
    double pt, phi, eta;
};

Particle make_particle(std::uint64_t id, Vec3 vertex, Kinematics k, RandomStream& random) {
    Particle particle;
    particle.particle_id = id;
    particle.vx = static_cast<float>(vertex.x);
    particle.vy = static_cast<float>(vertex.y);
    particle.vz = static_cast<float>(vertex.z);
    particle.px = static_cast<float>(k.pt * std::cos(k.phi));
    particle.py = static_cast<float>(k.pt * std::sin(k.phi));
    particle.pz = static_cast<float>(k.pt * std::sinh(k.eta));
    particle.q = random.uniform() < 0.5 ? -1 : 1;
    return particle;
}

std::uint64_t make_id(std::uint32_t interaction, std::uint32_t vertex, std::uint32_t number) {
    return std::uint64_t{interaction} << 52 | std::uint64_t{vertex} << 40 |
           std::uint64_t{number} << 24;
}

class EventDraw {
  public:
    EventDraw(const CollisionOptions& options, std::uint64_t seed, std::uint32_t event)
        : options_(options), seed_(seed), event_(event), pt_(options) {}

    std::vector<Particle> draw() {
        RandomStream random({seed_, event_, stream_purpose::pileup, 0});
        const auto interactions = std::min(1 + random.poisson(options_.pileup), vertex_limit_count);
        for (std::uint32_t i = 0; i < interactions; ++i) draw_interaction(i);
        particles_.insert(particles_.end(), secondaries_.begin(), secondaries_.end());
        return std::move(particles_);
    }

  private:
    std::uint32_t draw_multiplicity(bool is_hard, RandomStream& random) const {
        if (is_hard) return random.poisson(options_.hard_multiplicity);
        if (random.uniform() > options_.visible_share) return 0;
        const double k = options_.multiplicity_k;
        return random.poisson(random.gamma(k) * options_.multiplicity / k);
    }

    void draw_interaction(std::uint32_t interaction) {
        RandomStream random({seed_, event_, stream_purpose::interaction, interaction});
        const Vec3 vertex{options_.xy_width * random.normal(), options_.xy_width * random.normal(),
                          options_.z_width * random.normal()};
        const auto count =
            std::min(draw_multiplicity(interaction == 0, random), particle_limit_count);
        std::uint32_t secondary_vertex = 0;
        for (std::uint32_t number = 1; number <= count; ++number) {
            const Kinematics k{pt_.at(random.uniform()), full_turn * random.uniform(),
                               random.uniform(-options_.eta_limit, options_.eta_limit)};
            particles_.push_back(
                make_particle(make_id(interaction + 1, 0, number), vertex, k, random));
            if (random.uniform() < options_.secondary_vertices &&
                secondary_vertex < vertex_limit_count) {
                draw_secondaries(interaction + 1, ++secondary_vertex, vertex, k, random);
            }
        }
    }

    /// Their vertex lies on the straight way of a primary particle.
    void draw_secondaries(std::uint32_t interaction, std::uint32_t vertex_number, Vec3 origin,
                          Kinematics parent, RandomStream& random) {
        double r = secondary_r.at(random.uniform());
        const double slope = std::sinh(parent.eta);
        if (std::abs(slope) * r > furthest_z) r = random.uniform() * furthest_z / std::abs(slope);
        const Vec3 vertex = origin + r * Vec3{std::cos(parent.phi), std::sin(parent.phi), slope};
        const auto place = std::upper_bound(secondary_count_share.begin(),
                                            secondary_count_share.end(), random.uniform());
        const auto count = static_cast<std::uint32_t>(place - secondary_count_share.begin()) + 1;
        for (std::uint32_t number = 1; number <= count; ++number) {
            const double abs_eta = secondary_abs_eta.at(random.uniform());
            const double side = random.uniform() < same_side_share ? 1 : -1;
            const double dphi = secondary_abs_dphi.at(random.uniform());
            const Kinematics k{secondary_pt.at(random.uniform()),
                               parent.phi + (random.uniform() < 0.5 ? dphi : -dphi),
                               std::copysign(abs_eta, side * parent.eta)};
            secondaries_.push_back(
                make_particle(make_id(interaction, vertex_number, number), vertex, k, random));
        }
    }

    const CollisionOptions& options_;
    std::uint64_t seed_;
    std::uint32_t event_;
    TsallisTable pt_;
    std::vector<Particle> particles_, secondaries_;
};

}  // namespace

std::vector<Particle> draw_particles(const CollisionOptions& options, std::uint64_t seed,
                                     std::uint32_t event) {
    return EventDraw(options, seed, event).draw();
}

}  // namespace farm
