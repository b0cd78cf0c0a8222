#pragma once

namespace farm {

/// Settings of the whole process that runs of models want; a worker's main calls it once, before
/// it starts a thread. Memory that a run gave back stays mapped (glibc's mallopt): without this
/// the tensors of each run are fresh pages, which costs ParticleNet a third of its rate in batches
/// of 200 on one CPU core. The price: resident memory stays at its peak.
void keep_memory_mapped();

}  // namespace farm
