#include "gpu_worker/core/hosted_service.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "gpu_worker/core/slices.h"
#include "schemas/cost_curve.h"

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
constexpr double much_changed = 0.25;

BatchLimits batch_limits(const ModelReady& ready, std::uint64_t device_bytes) {
    BatchLimits limits;
    limits.rule = ready.ad.batch;
    limits.max_rows = ready.ad.max_batch_rows;
    limits.max_bytes = device_bytes;
    limits.preferred_rows = ready.preferred_rows;
    if (ready.ad.batch != BatchRule::none) limits.max_queue_delay = ready.max_queue_delay;
    return limits;
}

/// config.pbtxt is the upper bound of what is learned; 0: no limit.
std::uint32_t configured_rows(const ModelReady& ready) {
    if (ready.preferred_rows.empty()) return ready.ad.max_batch_rows;
    return std::max(1U, ready.preferred_rows.back());
}

double ratio(std::uint64_t a, std::uint64_t b) {
    return static_cast<double>(a) / static_cast<double>(std::max<std::uint64_t>(1, b));
}

bool differ_much(const std::vector<CostPoint>& before, const std::vector<CostPoint>& now) {
    const std::uint32_t knee_before = full_run_rows(before, 0);
    const std::uint32_t knee_now = full_run_rows(now, 0);
    if ((knee_before == 0) != (knee_now == 0)) return true;
    if (RunTimes::class_of(knee_before) != RunTimes::class_of(knee_now)) return true;
    return std::ranges::any_of(now, [&](const CostPoint& point) {
        const double wrong = ratio(cost_at(before, point.rows, 0), point.nanoseconds);
        return wrong < 1 - much_changed || wrong > 1 + much_changed;
    });
}

/// At most as many points as an advertisement may have: the largest, which matter most. In rows as
/// brokers count them; points that are one there are one point.
std::vector<CostPoint> advertised(const HostedService& service) {
    std::vector<CostPoint> points;
    for (CostPoint point : service.sizes.all().points()) {
        point.rows = service.said_rows(point.rows);
        point.nanoseconds = std::min(point.nanoseconds, longest_device_ns);
        if (!points.empty() && point.rows <= points.back().rows) points.pop_back();
        points.push_back(point);
    }
    if (points.size() > limits::cost_point_count) {
        points.erase(points.begin(), points.end() - limits::cost_point_count);
    }
    return points;
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
    batcher.set_limits(batch_limits(ready, device_bytes));
    sizes = ClassSizes(configured_rows(ready), ad.cost);
    sliceable = can_slice(ad);
    runs_inline = ready.runs_inline;
    if (busy.size() < ad.instance_count) busy.resize(ad.instance_count, false);
}

std::optional<std::uint32_t> HostedService::free_instance() const {
    const auto end = busy.begin() + ad.instance_count;
    const auto found = std::find(busy.begin(), end, false);
    if (found == end) return std::nullopt;
    return static_cast<std::uint32_t>(found - busy.begin());
}

void HostedService::count_rows(std::uint32_t rows_of_call, std::uint32_t said) {
    constexpr double weight = 1.0 / 16;
    if (mean_call_rows == 0) mean_call_rows = rows_of_call;
    if (mean_said_rows == 0) mean_said_rows = said;
    mean_call_rows += weight * (rows_of_call - mean_call_rows);
    mean_said_rows += weight * (said - mean_said_rows);
}

std::uint32_t HostedService::said_rows(std::uint32_t rows) const {
    if (ad.batch != BatchRule::graph || mean_call_rows == 0) return rows;
    const double said = rows * mean_said_rows / mean_call_rows;
    return static_cast<std::uint32_t>(std::clamp<double>(std::round(said), 1, UINT32_MAX));
}

std::uint64_t HostedService::full_run_calls() const {
    if (ad.batch != BatchRule::graph) return full_run_rows();
    if (mean_call_rows == 0) return assumed_run_rows;
    // A power of two, for the same reason as below.
    const double calls = std::max(1.0, full_run_rows() / mean_call_rows);
    return std::bit_ceil(static_cast<std::uint64_t>(calls));
}

std::uint32_t HostedService::full_run_rows() const {
    if (ad.batch == BatchRule::none) return 1;
    const std::uint32_t rows = sizes.rows();
    return rows == UINT32_MAX ? assumed_run_rows : rows;
}

std::uint64_t HostedService::capacity() const {
    if (!serves() || !health.in_rotation()) return 0;
    const std::uint32_t full_rows = full_run_rows();
    const auto run_ns = static_cast<std::uint64_t>(sizes.all().expected(full_rows).count());
    const bool batches = ad.batch != BatchRule::none;
    std::uint64_t runs = batches ? 2 : 4;  // while nothing is measured
    if (run_ns > 0) {
        const std::uint64_t wanted = 1 + static_cast<std::uint64_t>(work_at_hand.count()) / run_ns;
        // A power of two, so that windows do not follow the noise of the measurement.
        runs = std::bit_ceil(std::clamp<std::uint64_t>(wanted, 2, most_runs_at_hand));
    }
    // Enough for a trial of twice the size while another run is under way.
    if (batches && !sizes.all().usual().is_at_limit()) runs += 1;
    const std::uint64_t fewest = batches ? fewest_batched_calls : fewest_calls;
    return std::clamp(runs * full_run_calls() * ad.instance_count, fewest, most_calls);
}

Duration HostedService::cost_of(std::uint32_t rows) const {
    if (ad.batch == BatchRule::none) return sizes.all().expected(rows) / ad.instance_count;
    const std::uint32_t full_rows = full_run_rows();
    return sizes.all().expected(full_rows) * rows / full_rows / ad.instance_count;
}

bool HostedService::take_over_curve() {
    if (ad.batch == BatchRule::none || !serves()) return false;
    std::vector<CostPoint> measured = advertised(*this);
    if (measured.empty() || !differ_much(ad.cost, measured)) return false;
    ad.cost = std::move(measured);
    return true;
}

}  // namespace farm
