#include "cpu_client/events/particle_gun.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "cpu_client/events/drawn_particle.h"
#include "cpu_client/events/random_stream.h"
#include "cpu_client/events/stream_purpose.h"
#include "cpu_client/events/vec3.h"

namespace farm {

namespace {

constexpr double full_turn = 2 * std::numbers::pi;
/// Inverse of the cumulative Tsallis distribution between pt_min and 100 GeV, by numbers.
class TsallisTable {
  public:
    TsallisTable(const TsallisSpectrum& spectrum, double pt_min) {
        constexpr double pion_mass = 0.13957;
        const double step = std::log(100 / pt_min) / (size - 1);
        double sum = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const double pt = pt_min * std::exp(step * static_cast<double>(i));
            const double mt = std::hypot(pt, pion_mass);
            const double nt = spectrum.power * spectrum.temperature;
            pt_[i] = pt;
            cumulative_[i] = sum;
            sum += pt * pt * std::pow(1 + (mt - pion_mass) / nt, -spectrum.power);
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

class EventDraw {
  public:
    EventDraw(const CollisionOptions& options, std::uint64_t seed, std::uint32_t event)
        : options_(options),
          seed_(seed),
          event_(event),
          pileup_pt_(options.pileup_pt, options.pt_min),
          hard_pt_(options.hard_pt, options.pt_min) {}

    std::vector<Particle> draw() {
        RandomStream random({seed_, event_, stream_purpose::pileup, 0});
        const auto interactions = std::min(1 + random.poisson(options_.pileup), vertex_limit_count);
        for (std::uint32_t i = 0; i < interactions; ++i) draw_interaction(i);
        RandomStream away({seed_, event_, stream_purpose::secondaries, 0});
        const auto secondaries = draw_secondaries(particles_, options_.secondaries, away);
        particles_.insert(particles_.end(), secondaries.begin(), secondaries.end());
        return std::move(particles_);
    }

  private:
    std::uint32_t draw_multiplicity(bool is_hard, RandomStream& random) const {
        if (is_hard) return random.poisson(options_.hard_multiplicity);
        if (random.uniform() > options_.visible_share) return 0;
        const double k = options_.multiplicity_k;
        return random.poisson(random.gamma(k) * options_.multiplicity / k);
    }

    Kinematics draw_kinematics(bool is_hard, RandomStream& random) const {
        const double limit = options_.eta_limit;
        Kinematics k{(is_hard ? hard_pt_ : pileup_pt_).at(random.uniform()),
                     full_turn * random.uniform(), random.uniform(-limit, limit)};
        if (!is_hard) return k;
        do {
            k.eta = options_.hard_eta_width * random.normal();
        } while (std::abs(k.eta) > limit);
        return k;
    }

    void draw_interaction(std::uint32_t interaction) {
        RandomStream random({seed_, event_, stream_purpose::interaction, interaction});
        const Vec3 vertex{options_.xy_width * random.normal(), options_.xy_width * random.normal(),
                          options_.z_width * random.normal()};
        const bool is_hard = interaction == 0;
        const auto count =
            std::min(draw_multiplicity(is_hard, random), particles_at_vertex_limit_count);
        for (std::uint32_t number = 1; number <= count; ++number) {
            const Kinematics k = draw_kinematics(is_hard, random);
            particles_.push_back(make_particle(make_particle_id(interaction + 1, 0, number), vertex,
                                               k, random.uniform() < 0.5 ? -1 : 1));
        }
    }

    const CollisionOptions& options_;
    std::uint64_t seed_;
    std::uint32_t event_;
    TsallisTable pileup_pt_, hard_pt_;
    std::vector<Particle> particles_;
};

}  // namespace

std::vector<Particle> draw_particles(const CollisionOptions& options, std::uint64_t seed,
                                     std::uint32_t event) {
    return EventDraw(options, seed, event).draw();
}

}  // namespace farm
