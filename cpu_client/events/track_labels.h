#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// The submission file of the TrackML challenge: a row "hit_id,track_id" for each hit. Label 0, 1,
/// ... of a hit is track 1, 2, ...; a negative label is track 0, no track. Requires one label for
/// each hit.
std::string format_submission(const std::vector<Hit>& hits, std::span<const std::int64_t> labels);

}  // namespace farm
