#pragma once

#include <cmath>
#include <cstdint>

#include "cpu_client/events/helix.h"
#include "cpu_client/events/trackml_csv.h"
#include "cpu_client/events/vec3.h"

namespace farm {

inline constexpr std::uint32_t vertex_limit_count = 4095;  ///< 12 bits of particle_id
inline constexpr std::uint32_t particles_at_vertex_limit_count = 65'535;

/// As in the challenge: number of the interaction << 52 | of the secondary vertex << 40 | of the
/// particle there << 24.
inline std::uint64_t make_particle_id(std::uint64_t interaction, std::uint64_t vertex,
                                      std::uint64_t number) {
    return interaction << 52 | vertex << 40 | number << 24;
}
inline std::uint64_t interaction_of(std::uint64_t particle_id) { return particle_id >> 52; }

struct Kinematics {
    double pt, phi, eta;
};

inline Particle make_particle(std::uint64_t id, Vec3 vertex, Kinematics k, std::int32_t charge) {
    Particle particle;
    particle.particle_id = id;
    particle.vx = static_cast<float>(vertex.x);
    particle.vy = static_cast<float>(vertex.y);
    particle.vz = static_cast<float>(vertex.z);
    particle.px = static_cast<float>(k.pt * std::cos(k.phi));
    particle.py = static_cast<float>(k.pt * std::sin(k.phi));
    particle.pz = static_cast<float>(k.pt * std::sinh(k.eta));
    particle.q = charge;
    return particle;
}

inline TrackState start_of(const Particle& particle) {
    const Vec3 momentum{particle.px, particle.py, particle.pz};
    return {{particle.vx, particle.vy, particle.vz}, unit(momentum), norm(momentum), particle.q};
}

}  // namespace farm
