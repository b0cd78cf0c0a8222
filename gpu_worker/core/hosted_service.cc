#include "gpu_worker/core/hosted_service.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace farm {

namespace {

using namespace std::chrono_literals;

/// Work that is kept at hand: a few round trips between worker and broker.
constexpr Duration work_at_hand = 2ms;
constexpr std::uint64_t fewest_batched_calls = 4;
constexpr std::uint64_t fewest_calls = 2;  ///< one runs, one waits
constexpr std::uint64_t most_calls = 512;
constexpr std::uint64_t most_runs_at_hand = 64;
/// Of a model that batches without saying how far.
constexpr std::uint32_t assumed_run_rows = 8;
constexpr std::uint32_t most_instances = 1024;

BatchLimits batch_limits(const ModelReady& ready, std::uint64_t device_bytes) {
    BatchLimits limits;
    limits.rule = ready.ad.batch;
    limits.max_rows = ready.ad.max_batch_rows;
    limits.max_bytes = device_bytes;
    limits.preferred_rows = ready.preferred_rows;
    if (ready.ad.batch == BatchRule::rows) limits.max_queue_delay = ready.max_queue_delay;
    return limits;
}

std::uint32_t full_run_rows_of(const ModelReady& ready) {
    if (ready.ad.batch != BatchRule::rows) return 1;
    if (!ready.preferred_rows.empty()) return std::max(1U, ready.preferred_rows.back());
    return ready.ad.max_batch_rows != 0 ? ready.ad.max_batch_rows : assumed_run_rows;
}

}  // namespace

HostedService::HostedService(const ModelReady& ready, std::size_t broker_count,
                             std::uint64_t device_bytes)
    : batcher(batch_limits(ready, device_bytes)),
      windows(broker_count, 0, 0),
      queue_depths(broker_count) {
    replace(ready, device_bytes);
}

void HostedService::replace(const ModelReady& ready, std::uint64_t device_bytes) {
    ad = ready.ad;
    ad.instance_count = std::clamp(ad.instance_count, 1U, most_instances);
    // Windows are never larger than the device, so a larger call would wait for ever.
    ad.max_call_bytes = std::min(ad.max_call_bytes, device_bytes);
    full_run_rows = full_run_rows_of(ready);
    batcher.set_limits(batch_limits(ready, device_bytes));
    times = RunTimes(ad.cost);
    if (busy.size() < ad.instance_count) busy.resize(ad.instance_count, false);
}

std::optional<std::uint32_t> HostedService::free_instance() const {
    const auto end = busy.begin() + ad.instance_count;
    const auto found = std::find(busy.begin(), end, false);
    if (found == end) return std::nullopt;
    return static_cast<std::uint32_t>(found - busy.begin());
}

std::uint64_t HostedService::capacity() const {
    if (!serves() || !health.in_rotation()) return 0;
    const auto run_ns = static_cast<std::uint64_t>(times.expected(full_run_rows).count());
    const bool batches = ad.batch == BatchRule::rows;
    std::uint64_t runs = batches ? 2 : 4;  // while nothing is measured
    if (run_ns > 0) {
        const std::uint64_t wanted = 1 + static_cast<std::uint64_t>(work_at_hand.count()) / run_ns;
        // A power of two, so that windows do not follow the noise of the measurement.
        runs = std::bit_ceil(std::clamp<std::uint64_t>(wanted, 2, most_runs_at_hand));
    }
    const std::uint64_t fewest = batches ? fewest_batched_calls : fewest_calls;
    return std::clamp(runs * full_run_rows * ad.instance_count, fewest, most_calls);
}

Duration HostedService::cost_of(std::uint32_t rows) const {
    if (ad.batch != BatchRule::rows) return times.expected(rows) / ad.instance_count;
    return times.expected(full_run_rows) * rows / full_run_rows / ad.instance_count;
}

}  // namespace farm
