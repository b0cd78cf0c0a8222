#pragma once

#include "common/core/transfer.h"
#include "schemas/limits.h"

namespace farm {

/// Through a broker: small chunks, so that what others send has its turn between them.
inline constexpr Chunking routed_chunking{limits::chunk_bytes, limits::chunk_bytes,
                                          limits::chunk_bytes* limits::chunk_window_count};
/// Between client and worker: a tensor that comes as one frame is used where it lies, without the
/// copy that puts chunks together.
inline constexpr Chunking direct_chunking{limits::chunk_bytes, limits::direct_frame_bytes,
                                          limits::direct_window_bytes};

}  // namespace farm
