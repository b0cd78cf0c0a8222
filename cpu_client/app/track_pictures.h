#pragma once

#include <filesystem>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/app/track_report.h"
#include "cpu_client/pictures/event_picture.h"

namespace farm {

/// Writes the picture of one event to `file`, and with truth in the summary that of the rates
/// beside it: "event.svg", "event-rates.svg". Gives what it wrote. Errors: those of draw_event(),
/// io.
Result<std::vector<std::filesystem::path>> write_pictures(const std::filesystem::path& file,
                                                          const EventPicture& event,
                                                          const TrackSummary& summary,
                                                          const ParticleSelection& selection);

}  // namespace farm
