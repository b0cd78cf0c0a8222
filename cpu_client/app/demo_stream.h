#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cpu_client/app/demo_events.h"
#include "cpu_client/app/demo_record.h"
#include "cpu_client/lib/client.h"

namespace farm {

struct StreamOptions {
    std::vector<EventFile> events;
    float edge_radius{default_edge_radius};
    double score_cut{0.5};
    std::uint32_t in_flight_count{8};
    CallOptions call;
};

/// One line of the demo's table.
struct EventLine {
    std::string name;
    std::size_t point_count{0};
    std::size_t edge_count{0};
    std::size_t kept_edge_count{0};
    std::uint32_t component_count{0};
    double latency_ms{0};
    std::string worker;
    CallStatus status{CallStatus::ok};
    std::string detail;  ///< when it is not OK
};

/// Streams the events through the farm, over and over until `stop`: reads the file, makes candidate
/// edges, asks for edge scores, builds connected components. `put_out` gets a line for every event,
/// one at a time. Blocks; the record may be read meanwhile.
void stream_events(const StreamOptions& options, Client& client, DemoRecord& record,
                   std::stop_token stop, const std::function<void(const EventLine&)>& put_out);

/// The table's title line, and a line; 80 columns at most.
std::string event_heading();
std::string event_text(const EventLine& line);

}  // namespace farm
