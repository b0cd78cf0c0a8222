#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/candidate_edges.h"
#include "cpu_client/events/space_points.h"
#include "cpu_client/lib/input.h"

namespace farm {

/// A file of space points and the units it is in.
struct EventFile {
    std::string name;  ///< without folder and ending
    std::filesystem::path path;
    SpacePointUnits units;
};

/// The *.csv of a folder and of its subfolder `lrt` (those in metres), in the order of their names,
/// numbers by value. Errors: not_found, io.
Result<std::vector<EventFile>> list_events(const std::filesystem::path& folder);

/// What is sent to the model for one event; shares no memory with its arguments.
Inputs event_inputs(const std::vector<SpacePoint>& points, const EdgeList& edges);

/// Writes <folder>/<k>/nodes.npy and edge_index.npy of every event, for `farm-worker
/// --bench-inputs`.
Result<void> write_bench_inputs(const std::vector<EventFile>& events, float radius,
                                const std::filesystem::path& folder);

}  // namespace farm
