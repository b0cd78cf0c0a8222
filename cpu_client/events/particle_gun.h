#pragma once

#include <cstdint>
#include <vector>

#include "cpu_client/events/secondaries.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// dN/dpT ~ pT (1 + (mT - m) / (n T))^-n with the pion's mass, up to 100 GeV.
struct TsallisSpectrum {
    double power;        ///< n
    double temperature;  ///< T in GeV
};

/// Distributions of the particles of an event; the defaults are those of real TrackML events, whose
/// figures the tests compare. Lengths in mm, momenta in GeV.
struct CollisionOptions {
    double pileup{200};   ///< mean number of interactions beside the hard scatter
    double z_width{5.9};  ///< of the beam spot; 5.9 or 61 in the two sets of real events
    double xy_width{0.0145};
    double visible_share{0.85};  ///< of the interactions that leave a charged particle in |eta| < 4
    double multiplicity{52};     ///< mean of these: negative binomial
    double multiplicity_k{1.3};
    double hard_multiplicity{232};
    double eta_limit{4};  ///< pile-up is flat in eta
    double hard_eta_width{2.25};
    double pt_min{0.1};
    TsallisSpectrum pileup_pt{6.3, 0.16};
    TsallisSpectrum hard_pt{3.6, 0.18};
    SecondaryOptions secondaries;
};

inline constexpr double pileup_limit = 2000;

/// The charged particles of one event, nhits 0: first the primaries of the hard scatter, then of
/// each pile-up interaction, then secondaries, whose particle_id (drawn_particle.h) names their
/// parent's interaction.
std::vector<Particle> draw_particles(const CollisionOptions& options, std::uint64_t seed,
                                     std::uint32_t event);

}  // namespace farm
