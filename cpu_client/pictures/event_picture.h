#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "common/core/error.h"
#include "cpu_client/events/event_truth.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

/// What is drawn; views, for the time of the call. labels[i] belongs to hits[i].
struct EventPicture {
    std::string title;
    std::span<const Hit> hits;
    std::span<const std::int64_t> labels;
    const EventTruth* truth{nullptr};  ///< null: tracks without a verdict
};

/// One event in x-y and r-z as SVG: hits, and the tracks of at least valid_cluster_hit_count of
/// them, each in a colour of its own. With truth (truth_metrics.h) the colours are for found tracks
/// only; fakes and missed particles are marked, and tracks that count neither way are pale.
/// Error: invalid for another number of labels than hits.
Result<std::string> draw_event(const EventPicture& picture);

}  // namespace farm
