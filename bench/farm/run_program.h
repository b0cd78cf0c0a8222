#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "common/core/error.h"

namespace farm::bench {

/// Runs a command to its end and gives what it wrote to stdout; `log` (appended to) gets its
/// stderr. Error (io): it cannot be started, fails, or takes longer than `limit`; the text has the
/// end of what it said.
Result<std::string> run_program(std::vector<std::string> command, const std::filesystem::path& log,
                                std::chrono::seconds limit);

}  // namespace farm::bench
