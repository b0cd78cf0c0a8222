#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "gpu_worker/app/model_loader.h"

namespace farm {

struct DirectBenchOptions {
    std::string model;                ///< "gnn" or "gnn/3"
    std::filesystem::path inputs;     ///< <k>/<input name>.npy; empty: the model's warm-up inputs
    double seconds{5};                ///< for each size
    std::vector<std::uint32_t> rows;  ///< of a run; empty: as the inputs have
    bool json{false};
};

/// Runs a model in this process, without broker, sockets or batching: what direct inference gives
/// on one instance. Prints runs/s, rows/s, p50, p99 and pages that were mapped anew (minor faults)
/// in each run to stdout; with `rows` a line for each size, and the knee: the curve that a worker
/// learns. Errors name model, file, input.
Result<void> run_direct_bench(const DirectBenchOptions& options, const LoadOptions& load);

}  // namespace farm
