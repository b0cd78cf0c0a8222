#pragma once

#include <memory>

#include "common/net/context.h"

namespace farm {

/// The one libzmq context of all clients of this process (see Context): made by the first of them,
/// gone with the last. Any thread.
std::shared_ptr<Context> shared_context();

}  // namespace farm
