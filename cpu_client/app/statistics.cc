#include "cpu_client/app/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace farm {

namespace {

bool within_tolerance(const std::vector<double>& values) {
    const double middle = mean(values);
    return middle > 0 && std::all_of(values.begin(), values.end(), [&](double value) {
               return std::abs(value - middle) <= StableWindows::tolerance * middle;
           });
}

}  // namespace

double percentile(std::span<const double> sorted, double fraction) {
    if (sorted.empty()) return 0;
    const auto count = static_cast<double>(sorted.size());
    const double rank = std::ceil(std::clamp(fraction, 0.0, 1.0) * count);
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double mean(std::span<const double> samples) {
    if (samples.empty()) return 0;
    return std::accumulate(samples.begin(), samples.end(), 0.0) /
           static_cast<double>(samples.size());
}

void StableWindows::add(Window window) {
    last_.push_back(window);
    if (last_.size() > window_count) last_.pop_front();
}

bool StableWindows::stable() const {
    if (last_.size() < window_count) return false;
    std::vector<double> rates, latencies;
    for (const Window& window : last_) {
        rates.push_back(window.calls_per_s);
        latencies.push_back(window.latency_ms);
    }
    return within_tolerance(rates) && within_tolerance(latencies);
}

}  // namespace farm
