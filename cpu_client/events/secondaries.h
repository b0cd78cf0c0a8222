#pragma once

#include <vector>

#include "cpu_client/events/random_stream.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

struct SecondaryOptions {
    double vertices{0.242};  ///< for each primary; 1.8 particles come from one
    double field_tesla{2};   ///< in which primaries fly; the generator puts its own here
};

/// Charged particles of decays and interactions, whose vertices lie more than 1 mm from the beam
/// line: each vertex is on the way of a primary that reaches it, and none of its particles has more
/// transverse momentum than that. The primary is not ended there. Distributions are those of the
/// real event 1000.
std::vector<Particle> draw_secondaries(const std::vector<Particle>& primaries,
                                       const SecondaryOptions& options, RandomStream& random);

}  // namespace farm
