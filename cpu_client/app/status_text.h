#pragma once

#include <map>
#include <string>

#include "schemas/messages.h"

namespace farm {

/// One report, and the address that was asked.
struct StatusView {
    std::string address;
    StatusReport report;
};

/// Finished calls a second between two looks; kept by whoever watches.
struct DoneRates {
    std::map<std::string, double> calls_per_s;  ///< by worker name
};

/// Rates between two reports `seconds` apart. A worker that was not there before has none.
DoneRates done_rates(const StatusReport& before, const StatusReport& now, double seconds);

/// `farm status`: broker, workers, services, learned batch sizes and queues as tables of 80
/// columns; then why models failed to load. Services are lines of model and worker. `rates` may be
/// null (one look only).
std::string status_text(const StatusView& view, const DoneRates* rates);
/// The whole report for scripts.
std::string status_json(const StatusView& view);

}  // namespace farm
