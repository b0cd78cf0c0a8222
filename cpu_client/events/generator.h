#pragma once

#include <cstdint>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/detector.h"
#include "cpu_client/events/particle_gun.h"
#include "cpu_client/events/propagation.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// Efficiency and interactions (PropagationOptions) are tuned to the numbers of hits of a real
/// particle list: tests/physics/event_replay_test.cc.
struct GeneratorOptions {
    std::uint64_t seed{1};
    CollisionOptions collision;
    PropagationOptions propagation;
    double efficiency{0.98};   ///< share of crossed modules that give a hit
    double noise_share{0.15};  ///< of all hits
    std::size_t row_limit_count{trackml_row_limit_count};  ///< of hits, and of cells, of one event
    bool with_cells{true};  ///< hits come from cells anyway; false leaves them out of the event
    int thread_count{0};    ///< 0: as many as oneTBB takes
};

inline constexpr std::size_t replay_limit_count = 1'000'000;  ///< particles of one event

/// Makes TrackML events with truth: particles on helices through the modules of a detector. Event
/// `number` with one seed is always the same, whatever the number of threads. Hits stand in the
/// order of their modules with hit_id 1, 2, ...; weights are set, and nhits of each particle.
class EventGenerator {
  public:
    /// `detector` outlives it. Errors (invalid) name the option.
    static Result<EventGenerator> make(const Detector& detector, const GeneratorOptions& options);

    /// Particles drawn from the distributions of CollisionOptions. Errors: too_large beyond
    /// row_limit_count, noise included; making the event stops there.
    Result<TrackmlEvent> generate(std::uint32_t number) const;

    /// The given particles instead, for instance of a real event; their nhits are counted anew.
    /// Errors: invalid for an id that is 0 or there twice, a charge that is not -1, 0 or 1, a
    /// particle without momentum, a number that is not finite; too_large beyond replay_limit_count
    /// and as generate().
    Result<TrackmlEvent> replay(std::vector<Particle> particles, std::uint32_t number) const;

  private:
    struct SimulatedHit;
    class RowCount;
    EventGenerator(const Detector& detector, const GeneratorOptions& options);
    Result<TrackmlEvent> simulate(std::vector<Particle> particles, std::uint32_t number) const;
    std::vector<SimulatedHit> simulate_particle(const Particle& particle, std::uint32_t index,
                                                std::uint32_t number) const;
    SimulatedHit simulate_noise(std::uint32_t index, std::uint32_t number) const;
    Result<std::vector<SimulatedHit>> simulate_signal(std::vector<Particle>& particles,
                                                      std::uint32_t number, RowCount& rows) const;
    Result<void> add_noise(std::vector<SimulatedHit>& hits, std::uint32_t number,
                           RowCount& rows) const;
    Result<std::vector<SimulatedHit>> simulate_hits(std::vector<Particle>& particles,
                                                    std::uint32_t number) const;

    const Detector* detector_;
    GeneratorOptions options_;
    Propagator propagator_;
    std::vector<double> noise_until_;  ///< by module: share of the noise up to and with it
};

}  // namespace farm
