#include "cpu_client/app/demo_record.h"

#include <algorithm>

#include "cpu_client/app/statistics.h"

namespace farm {

namespace {

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}
double milliseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-6; }

}  // namespace

void DemoRecord::called(std::uint64_t event, TimePoint now) {
    const std::lock_guard lock(mutex_);
    open_.insert(event);
    if (!first_call_) first_call_ = now;
}

void DemoRecord::ended(std::uint64_t event, const DemoOutcome& outcome, TimePoint now) {
    const std::lock_guard lock(mutex_);
    open_.erase(event);
    open_since_kill_.erase(event);
    ++done_count_;
    ++by_status_.at(static_cast<std::size_t>(outcome.status));
    if (outcome.attempts > 1) ++resent_count_;
    last_end_ = std::max(last_end_, now);
    if (outcome.status != CallStatus::ok) return;
    ++by_worker_[outcome.worker];
    const Timings& t = outcome.timings;
    first_events_.emplace(outcome.worker,
                          now - Duration(t.queue_ns + t.input_ns + t.compute_ns + t.output_ns));
    latencies_ms_.push_back(milliseconds(outcome.latency));
    sums_.latency_ms += latencies_ms_.back();
    sums_.queue_ms += milliseconds(outcome.timings.queue_ns);
    sums_.compute_ms += milliseconds(outcome.timings.compute_ns);
    sums_.copy_ms += milliseconds(outcome.timings.input_ns + outcome.timings.output_ns);
}

std::uint64_t DemoRecord::mark_kill() {
    const std::lock_guard lock(mutex_);
    open_since_kill_ = open_;
    return open_.size();
}

std::uint64_t DemoRecord::open_since_kill_count() const {
    const std::lock_guard lock(mutex_);
    return open_since_kill_.size();
}

std::uint64_t DemoRecord::done_count() const {
    const std::lock_guard lock(mutex_);
    return done_count_;
}

std::optional<TimePoint> DemoRecord::first_event_of(const std::string& worker) const {
    const std::lock_guard lock(mutex_);
    const auto found = first_events_.find(worker);
    if (found == first_events_.end()) return std::nullopt;
    return found->second;
}

DemoFigures DemoRecord::figures() const {
    const std::lock_guard lock(mutex_);
    DemoFigures figures;
    figures.event_count = done_count_ + open_.size();
    figures.by_status = by_status_;
    figures.by_worker = by_worker_;
    figures.resent_count = resent_count_;
    const auto ok_count = latencies_ms_.size();
    figures.lost_count = figures.event_count - ok_count;
    if (ok_count == 0) return figures;
    const double seconds = std::chrono::duration<double>(last_end_ - *first_call_).count();
    figures.events_per_s = seconds > 0 ? static_cast<double>(done_count_) / seconds : 0;
    std::vector<double> sorted = latencies_ms_;
    std::sort(sorted.begin(), sorted.end());
    figures.p50_ms = percentile(sorted, 0.5);
    figures.p99_ms = percentile(sorted, 0.99);
    const auto count = static_cast<double>(ok_count);
    figures.worker_queue_ms = sums_.queue_ms / count;
    figures.compute_ms = sums_.compute_ms / count;
    figures.copy_ms = sums_.copy_ms / count;
    figures.waiting_ms = std::max(0.0, sums_.latency_ms / count - figures.worker_queue_ms -
                                           figures.compute_ms - figures.copy_ms);
    return figures;
}

}  // namespace farm
