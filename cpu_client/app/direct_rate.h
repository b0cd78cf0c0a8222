#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace farm {

/// What `farm-worker --bench` gives for a folder of inputs: the model in one process, no farm.
struct DirectRate {
    double runs_per_s{0};
    double p50_ms{0};
    double p99_ms{0};
    double processor_ms_per_run{0};
};

/// Reads what it printed with --json.
Result<DirectRate> parse_direct_rate(std::string_view json);

/// Runs it in a child and waits. `scratch` is a folder for its output.
Result<DirectRate> measure_direct_rate(const std::string& model,
                                       const std::filesystem::path& models,
                                       const std::filesystem::path& inputs, double seconds,
                                       const std::filesystem::path& scratch);

}  // namespace farm
