#pragma once

#include <cstdint>
#include <string_view>

#include "common/core/error.h"

namespace farm {

/// What `--device-memory-limit` asks for, as a share of the device's memory above 0 and up to 1:
/// "50%", or bytes, of which 1 MiB is the least: "8GiB", "512MiB", "8589934592".
/// Errors: invalid for another text, too_large for more than the device has.
Result<double> parse_memory_limit(std::string_view text, std::uint64_t device_bytes);

}  // namespace farm
