#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace farm::bench {

/// A folder of events for farm-worker --bench-inputs and farm bench --events, with so many rows
/// (jets, images) in each; 1 for a model without batches.
struct EventFolder {
    std::filesystem::path path;
    std::uint32_t rows{1};
};

/// One thing that is compared: a model, what is sent to it, and how direct inference would do it.
struct ServiceCase {
    std::string name;                  ///< in tables and JSON: "particlenet"
    std::filesystem::path repository;  ///< of models
    std::string model;                 ///< in the repository
    EventFolder events;                ///< of the farm's calls
    std::vector<EventFolder> direct;   ///< batches that direct inference may use; the best counts
    std::vector<int> clients{1, 2, 4, 8, 16};  ///< calls kept open, ascending
    std::uint32_t instances{1};
    /// Limits of farm / direct; 0: no goal.
    double goal{0};                ///< direct with memory kept mapped, at its best batch
    double system_malloc_goal{0};  ///< direct with the C library's defaults, at the last batch
    double p99_goal{0};            ///< farm's p99 / p50 at the highest load
};

}  // namespace farm::bench
