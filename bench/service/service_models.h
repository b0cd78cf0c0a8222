#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/service/service_case.h"
#include "common/core/error.h"

namespace farm::bench {

struct ServiceSources {
    std::filesystem::path data;         ///< the project's data/
    std::filesystem::path particlenet;  ///< folder of the CMS model's repository entry; may be ""
    std::filesystem::path scratch;
};

/// Writes repositories and events of these groups: "gnn", "cnn", "particlenet", "tracks". Errors
/// name what is missing.
Result<std::vector<ServiceCase>> gnn_cases(const ServiceSources& sources);
Result<std::vector<ServiceCase>> cnn_cases(const ServiceSources& sources);
Result<std::vector<ServiceCase>> particlenet_cases(const ServiceSources& sources);
Result<std::vector<ServiceCase>> tracks_cases(const ServiceSources& sources);

}  // namespace farm::bench
