#pragma once

#include <cstdint>
#include <vector>

#include "cpu_client/events/detector.h"
#include "cpu_client/events/helix.h"
#include "cpu_client/events/material.h"
#include "cpu_client/events/random_stream.h"

namespace farm {

struct PropagationOptions {
    double field_tesla{2};  ///< a solenoid along z, the same everywhere
    /// Turns of 2 pi after which a particle is given up. Half a turn, the outermost point of a
    /// particle from the beam line, is where the real TrackML events end theirs.
    double turn_limit{0.5};
    /// Multiplies the interaction lengths of the material. A particle that interacts ends; tuned so
    /// that the hits of a real particle list come out (tests/physics/event_replay_test.cc).
    double interaction_scale{2.7};
    double pt_min{0.15};  ///< GeV; a softer particle leaves no hits
};

/// A particle at the middle of a module that it goes through.
struct ModuleCrossing {
    std::uint32_t module{0};  ///< index in Detector::modules()
    TrackState state;
};

/// Carries charged particles through the detector: from layer to layer on a helix, through each
/// module that it really meets (two where modules overlap), with multiple scattering and
/// interactions in the material of each layer. No energy loss. Immutable, for any number of
/// threads.
class Propagator {
  public:
    /// `detector` outlives it.
    Propagator(const Detector& detector, const PropagationOptions& options);

    /// Crossings in the order of the particle's way; at most 200 layers.
    std::vector<ModuleCrossing> propagate(const TrackState& start, RandomStream& random) const;

  private:
    struct Surface {
        bool is_cylinder;
        double position;
        Material passive;
        std::vector<const Layer*> layers;  ///< at this position, side by side; none: only material
    };
    struct Step {
        const Surface* surface;
        double s;
    };
    Surface& surface_at(bool is_cylinder, double position);
    Step next_surface(const Helix& helix) const;
    struct Leg {  ///< of the way: a helix from one surface to the next
        Helix helix;
        double begin;  ///< path length that the particle has behind it
        double end;    ///< and that it goes on to the surface
    };
    void find_crossings(const Leg& leg, const Layer& layer,
                        std::vector<ModuleCrossing>& crossings) const;
    bool survives(const Surface& surface, const Layer* layer, TrackState& state,
                  RandomStream& random) const;
    bool is_inside(const TrackState& state) const;

    const Detector& detector_;
    PropagationOptions options_;
    std::vector<Surface> surfaces_;
};

}  // namespace farm
