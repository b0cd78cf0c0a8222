#pragma once

#include <cstdint>

namespace farm {

/// What operator new and delete have done in this process. Linking allocations.cc replaces both.
struct Allocations {
    std::uint64_t count{0};
    std::int64_t live_bytes{0};
};

Allocations allocations();

}  // namespace farm
