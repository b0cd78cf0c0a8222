#pragma once

#include "common/core/buffer.h"
#include "cpu_client/core/client_io.h"
#include "cpu_client/lib/inference.h"

namespace farm {

/// The end of a call as its owner sees it. Outputs whose bytes do not suit their type's alignment
/// are copied, the others share the payload. A payload that cannot be read makes it INTERNAL.
Inference unpack_answer(const Complete& complete, const Payload& payload);

}  // namespace farm
