#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/load/goal.h"
#include "bench/service/service_case.h"

namespace farm::bench {

/// One repeat of one way to run a model.
struct ServiceSample {
    double rows_per_s{0};
    double p50_ms{0};  ///< of a call, or of a run in direct inference
    double p99_ms{0};
    double processor_ms{0};  ///< for one row: of worker and broker, or of direct inference
};

/// Repeats of direct inference with batches of `rows`.
struct DirectSeries {
    std::uint32_t rows{1};
    std::vector<ServiceSample> samples;
};

/// All that was measured of one case; the repeats belong together: each took its turn in the same
/// round.
struct ServiceResult {
    ServiceCase what;
    std::vector<DirectSeries> direct;  ///< memory kept mapped; one for each of what.direct
    DirectSeries system_malloc;        ///< the C library's defaults, the last of what.direct
    std::map<int, std::vector<ServiceSample>> farm;  ///< by calls kept open

    const DirectSeries& best_direct() const;
    int most_clients() const { return farm.rbegin()->first; }
};

/// farm / direct in rows/s, repeat by repeat.
Spread farm_ratio(const ServiceResult& result, int clients, const DirectSeries& direct);
/// The same in rows for the same processor time: what it would be on a core that is shared with
/// nothing else.
Spread processor_ratio(const ServiceResult& result, int clients, const DirectSeries& direct);

std::vector<GoalResult> service_goals(const std::vector<ServiceResult>& results);
std::string service_table(const std::vector<ServiceResult>& results);
/// [{"model", "batch", "clients", "direct_per_s", "farm_per_s", "ratio", ...}]: calls/s, a call
/// having `batch` rows, also where direct inference is best with another batch ("direct_batch").
std::string service_json(const std::vector<ServiceResult>& results);

}  // namespace farm::bench
