#pragma once

#include <filesystem>
#include <string>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "cpu_client/core/client_io.h"

namespace farm {

/// Keeps the inputs of a POISON call for those who look into it: `<folder>/<call id>/<input>.npy`
/// and `call.txt` with service and reason. Gives the folder made. Errors: io, and inputs that
/// cannot be read back.
Result<std::filesystem::path> write_quarantine(const std::filesystem::path& folder,
                                               const Quarantine& call, const Payload& inputs);

}  // namespace farm
