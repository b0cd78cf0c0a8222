#pragma once

#include <cstddef>
#include <cstdint>

namespace farm {

/// Settings of the whole process that runs of models want; a worker's main calls it once, before
/// it starts a thread. Memory that a run gave back stays mapped (glibc's mallopt): without this
/// the tensors of each run are fresh pages, which costs ParticleNet a third of its rate in batches
/// of 200 on one CPU core. The price: of what is free, up to kept_bytes stay resident at the end of
/// the heap, and holes between blocks in use; resident memory never passes its peak by that. Blocks
/// of 1 GiB and more (before glibc 2.35: of 32 MiB) go back at once.
void keep_memory_mapped();

/// OpenBLAS, which Debian's libtorch multiplies matrices with, has a pool of threads of its own, as
/// large as the machine, and does not hear of libtorch's settings: instances would fight for cores
/// that are not theirs. Makes it as large as the largest `count` that any model has asked for;
/// called before the model runs. Nothing happens with another BLAS.
void use_blas_threads(std::uint32_t count);

/// Beyond so much free memory at the end of the heap, pages go back to the system.
inline constexpr std::size_t kept_bytes = (std::size_t{2} << 30) - 1;

}  // namespace farm
