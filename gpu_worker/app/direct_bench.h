#pragma once

#include <filesystem>
#include <string>

#include "common/core/error.h"
#include "gpu_worker/app/model_loader.h"

namespace farm {

struct DirectBenchOptions {
    std::string model;             ///< "gnn" or "gnn/3"
    std::filesystem::path inputs;  ///< <k>/<input name>.npy; empty: the model's warm-up inputs
    double seconds{5};
    bool json{false};
};

/// Runs a model in this process, without broker, sockets or batching: what direct inference gives
/// on one instance. Prints runs/s, rows/s, p50 and p99 to stdout. Errors name model, file, input.
Result<void> run_direct_bench(const DirectBenchOptions& options, const LoadOptions& load);

}  // namespace farm
