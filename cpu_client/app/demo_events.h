#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/app/track_service.h"
#include "cpu_client/events/event_truth.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {

struct DemoEventOptions {
    std::filesystem::path detector;  ///< modules, with the columns of detectors.csv
    std::uint32_t count{6};
    double pileup{10};
    std::uint64_t seed{1};
};

/// An event made for the demo, with its truth.
struct DemoEvent {
    std::string name;
    std::vector<Hit> hits;
    EventTruth truth;
};

/// Errors: those of read_detector() and EventGenerator::make().
Result<std::vector<DemoEvent>> make_demo_events(const DemoEventOptions& options,
                                                const ParticleSelection& selection);

/// Writes <folder>/<k>/<input>.npy of every event, for `farm-worker --bench-inputs`.
Result<void> write_bench_inputs(std::span<const DemoEvent> events, const TrackService& service,
                                const std::filesystem::path& folder);

}  // namespace farm
