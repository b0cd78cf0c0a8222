#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "bench/farm/programs.h"
#include "bench/service/service_result.h"
#include "common/core/error.h"

namespace farm::bench {

struct ServiceRunOptions {
    Programs programs;
    std::filesystem::path scratch;
    std::string worker_cores;   ///< of broker, worker and direct inference ("0"); empty: any
    std::string device{"cpu"};  ///< of worker and direct inference, as farm-worker takes it
    int repeats{5};
    double seconds{1};  ///< of each measurement, where a call does not take longer
};

/// Measures one case with the real programs, called from this process: in each repeat direct
/// inference (farm-worker --bench, a process of its own each time) with each batch and allocator,
/// then the farm at each number of clients, the highest first. `said` hears which repeat begins.
/// Errors name the program that failed, and its words.
Result<ServiceResult> run_case(const ServiceCase& what, const ServiceRunOptions& options,
                               const std::function<void(int repeat)>& said);

}  // namespace farm::bench
