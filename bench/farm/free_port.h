#pragma once

#include <cstdint>

namespace farm::bench {

/// A TCP port of the loopback address that nobody listens on now; 0 when there is none.
std::uint16_t free_port();

}  // namespace farm::bench
