#pragma once

#include <cstddef>

#include "common/core/buffer.h"

namespace farm {

/// An uninitialised block for a large result, on huge pages where the system has them to give: the
/// memory goes back when the result does, so each one pays for its page faults, and with pages of
/// 4 KiB those cost more than receiving it. Throws std::bad_alloc.
MutableBuffer large_block(std::size_t size);

}  // namespace farm
