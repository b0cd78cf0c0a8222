#pragma once

#include <cstddef>
#include <stdexcept>

namespace farm::tracking::twin {

/// A device, or the library in front of it, says that it cannot go on; what() is its text.
struct DeviceFailure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Where memory of the device comes from, in the order of a stream (cudaStream_t): what is given
/// back may be taken again by steps that follow on the same one, and nothing waits for it.
struct StreamMemory {
    /// Throws DeviceFailure, also when there is not as much. `size_bytes` is above 0.
    void* (*take)(std::size_t size_bytes, void* stream);
    void (*give_back)(void* memory, void* stream) noexcept;
};

}  // namespace farm::tracking::twin
