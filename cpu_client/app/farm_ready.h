#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schemas/messages.h"

namespace farm {

/// So many workers are ready, and each has announced at least one service, working or failed.
bool has_settled(const StatusReport& report, std::uint32_t worker_count);

/// The worker is ready and serves this model (of any version).
bool serves(const StatusReport& report, std::string_view worker, std::string_view model);

/// Why the worker does not serve this model; empty when it has not said.
std::string load_failure(const StatusReport& report, std::string_view worker,
                         std::string_view model);

/// Null when the broker does not know the worker.
const WorkerStatus* find_worker(const StatusReport& report, std::string_view name);

}  // namespace farm
