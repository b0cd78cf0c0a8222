#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "cpu_client/app/demo_events.h"
#include "cpu_client/app/demo_record.h"
#include "cpu_client/app/track_report.h"
#include "cpu_client/lib/client.h"

namespace farm {

struct StreamOptions {
    std::span<const DemoEvent> events;  ///< not empty
    std::uint32_t in_flight_count{8};
    CallOptions call;
};

/// One line of the demo's table.
struct EventLine {
    std::string name;
    std::size_t hit_count{0};
    std::uint64_t track_count{0};
    double latency_ms{0};
    std::string worker;
    CallStatus status{CallStatus::ok};
    std::string detail;  ///< when it is not OK
};

/// What the first pass through the events has found.
struct FirstPass {
    TrackSummary summary;
    std::vector<std::int64_t> shown_labels;  ///< of the first event; empty when it was lost
};

/// Streams the events through the farm, over and over until `stop`; those of the first pass are
/// judged by their truth. `put_out` gets a line for every event, one at a time. Blocks; the record
/// may be read meanwhile.
FirstPass stream_events(const StreamOptions& options, const TrackService& service, Client& client,
                        DemoRecord& record, std::stop_token stop,
                        const std::function<void(const EventLine&)>& put_out);

/// The table's title line, and a line; 80 columns at most.
std::string event_heading();
std::string event_text(const EventLine& line);

}  // namespace farm
