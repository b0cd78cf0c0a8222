#pragma once

#include <cstdint>

namespace farm {

/// Whether calls may go straight to workers: when it pays (DirectDemand), never, or whenever a
/// lease can be had.
enum class DirectUse : std::uint8_t { automatic, never, always };

}  // namespace farm
