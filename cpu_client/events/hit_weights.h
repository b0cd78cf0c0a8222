#pragma once

#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// Sets the weights of the truth hits as the TrackML challenge does (weights.py of its library):
/// weight = w_order w_pT, divided by the sum over the event. w_order is the template
/// [10, 8, 6, 5, 3, 3, 3, 5, 6] stretched over the particle's hits, innermost first (by |tz - vz|),
/// with sum 1; a particle with fewer than 4 hits weighs nothing, the hits beyond its 20th neither.
/// w_pT grows from 0.2 at 0.5 GeV to 1 at 3 GeV and is constant beyond. Hits of noise, and of
/// particles that the event does not list, weigh nothing. nhits is not read.
void set_weights(TrackmlEvent& event);

}  // namespace farm
