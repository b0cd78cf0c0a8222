#pragma once

#include <string>

#include "common/core/error.h"
#include "schemas/call_status.h"

namespace farm {

/// Exit codes of `farm`: 0 only on success; 1 something on this side, before any call (a file, a
/// value of a flag, a process); 2 wrong usage; 10 and up what a call ended with or a broker said
/// (10 INVALID, 11 UNAUTHORIZED, ...).
inline constexpr int usage_exit_code = 2;
int exit_code(CallStatus status);
int exit_code(const Error& error);

/// The list for --help.
std::string exit_code_help();

/// Writes "farm: error: ..." to stderr and gives the exit code. The one place that does.
int report(const Error& error);
int report(CallStatus status, const std::string& detail);

}  // namespace farm
