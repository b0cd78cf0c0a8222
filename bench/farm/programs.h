#pragma once

#include <string>
#include <vector>

#include "common/core/error.h"

namespace farm::bench {

/// The programs that a bench starts.
struct Programs {
    std::string broker;
    std::string worker;
    std::string tool;
};

/// Those in `folder`, or with "" those of the build tree that this program lies in. Error
/// (not_found) names what is missing where.
Result<Programs> find_programs(const std::string& folder);

/// The build tree's root, for what else a bench starts from it.
std::string build_folder();

/// {"taskset", "-c", "0"}: put before a command it keeps the process on these cores.
std::vector<std::string> on_cores(const std::string& cores);

}  // namespace farm::bench
