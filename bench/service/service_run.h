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
    std::string worker_cores;  ///< of broker, worker and direct inference ("0"); empty: any
    std::string client_cores;
    int repeats{5};
    double seconds{1};  ///< of each measurement
};

/// Measures one case with the real programs: in each repeat direct inference (farm-worker --bench,
/// a process of its own each time) with each batch and allocator, then the farm (farm bench) at
/// each number of clients. `said` hears how far it is. Errors name the program that failed, and its
/// words.
Result<ServiceResult> run_case(const ServiceCase& what, const ServiceRunOptions& options,
                               const std::function<void(const std::string&)>& said);

}  // namespace farm::bench
