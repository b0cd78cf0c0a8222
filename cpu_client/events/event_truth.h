#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// The particles that a metric is about: pT at least pt_min (GeV), |eta| at most eta_max, hits in
/// the event at least hits_min.
struct ParticleSelection {
    double pt_min{1.0};
    double eta_max{4.0};
    std::uint32_t hits_min{5};
};

/// The truth of one event by index instead of by id. Immutable, for any number of threads.
class EventTruth {
  public:
    static constexpr std::uint32_t none = 0xffff'ffff;

    struct ParticleTruth {
        double pt{0}, eta{0};
        std::uint32_t hit_count{0};
        bool selected{false};
    };

    /// Errors: invalid when truth is not that of the hits, or names a particle that is not listed.
    static Result<EventTruth> make(const TrackmlEvent& event, const ParticleSelection& selection);

    std::size_t hit_count() const { return particle_of_.size(); }
    const std::vector<ParticleTruth>& particles() const { return particles_; }
    std::uint32_t selected_count() const { return selected_count_; }

    /// Index of the particle that left the hit; none for noise.
    std::uint32_t particle_of(std::size_t hit) const { return particle_of_[hit]; }
    double weight_of(std::size_t hit) const { return weight_of_[hit]; }
    double total_weight() const { return total_weight_; }
    /// The particle's next hit by distance from its vertex; none behind the last, and for noise.
    std::uint32_t next_hit(std::size_t hit) const { return next_hit_[hit]; }

  private:
    void link_hits(const TrackmlEvent& event);

    std::vector<ParticleTruth> particles_;
    std::vector<std::uint32_t> particle_of_;
    std::vector<double> weight_of_;
    std::vector<std::uint32_t> next_hit_;
    double total_weight_{0};
    std::uint32_t selected_count_{0};
};

}  // namespace farm
