#pragma once

#include <cstdint>
#include <span>

#include "common/core/ids.h"

namespace farm {

/// Bytes from the kernel's generator, good enough for secrets. Thread-safe; never blocks after
/// boot; aborts when the kernel has none (seccomp), because an id that is not random is worse.
void fill_random(std::span<std::uint8_t> bytes);

/// A fresh CallId, PeerId or Secret.
template <class Id>
Id random_id() {
    Id id;
    fill_random(id.bytes);
    return id;
}

std::uint64_t random_u64();

}  // namespace farm
