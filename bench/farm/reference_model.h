#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "common/core/error.h"

namespace farm::bench {

/// Writes an entry of a model repository for the reference backend: `parameters` are those of
/// gpu_worker/backends/reference_backend.h without their "farm.reference.". Error: io.
Result<void> write_reference_model(const std::filesystem::path& repository,
                                   const std::string& model,
                                   const std::map<std::string, std::string>& parameters = {});

}  // namespace farm::bench
