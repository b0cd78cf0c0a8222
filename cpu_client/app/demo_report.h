#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cpu_client/app/demo_record.h"
#include "cpu_client/app/direct_rate.h"
#include "cpu_client/app/track_report.h"

namespace farm {

/// Everything that the demo has to tell at its end.
struct DemoResult {
    DemoFigures figures;
    TrackSummary tracks;                       ///< of the first pass
    std::vector<std::filesystem::path> files;  ///< that were written
    std::optional<DirectRate> direct;
    std::optional<double> join_to_first_event_ms;  ///< newcomer ready -> it took its first event
    std::string newcomer;
    std::string victim;
    std::uint64_t open_at_kill_count{0};
    bool recovered{false};             ///< all that were open at the kill have ended
    std::vector<std::string> workers;  ///< all that ever ran, in order

    /// No event lost, and join and kill were seen.
    bool ok() const {
        return figures.lost_count == 0 && join_to_first_event_ms.has_value() && recovered;
    }
};

/// The summary for people; lines of at most 80 columns.
std::string demo_text(const DemoResult& result);
/// {"events", "lost", "statuses": {...}, "events_per_s", "in_process_events_per_s", "p50_ms",
/// "p99_ms", "join_to_first_event_ms", "workers": [{"name", "events"}], ...}; null for what was not
/// seen.
std::string demo_json(const DemoResult& result);

}  // namespace farm
