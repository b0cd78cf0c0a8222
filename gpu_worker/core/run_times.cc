#include "gpu_worker/core/run_times.h"

#include <algorithm>
#include <bit>
#include <span>

namespace farm {

namespace {

/// Runs in a row that must agree before they outweigh the others.
constexpr std::size_t agreeing_count = 3;
constexpr double change = 0.25;
constexpr std::uint32_t look_every_count = 4;

double per_row(const CostPoint& run) {
    return static_cast<double>(run.nanoseconds) / std::max(1U, run.rows);
}

/// Mean of all but the slowest quarter, rounded up.
CostPoint trimmed_mean(std::span<const CostPoint> runs) {
    std::array<CostPoint, RunTimes::kept_count> sorted;
    const auto end = std::copy(runs.begin(), runs.end(), sorted.begin());
    std::sort(sorted.begin(), end,
              [](const CostPoint& a, const CostPoint& b) { return per_row(a) < per_row(b); });
    const std::size_t used = runs.size() == 1 ? 1 : runs.size() - (runs.size() + 3) / 4;
    std::uint64_t rows = 0;
    std::uint64_t nanoseconds = 0;
    for (std::size_t i = 0; i < used; ++i) {
        rows += sorted[i].rows;
        nanoseconds += sorted[i].nanoseconds;
    }
    return {static_cast<std::uint32_t>((rows + used / 2) / used), nanoseconds / used};
}

}  // namespace

std::size_t RunTimes::class_of(std::uint32_t rows) {
    return static_cast<std::size_t>(std::bit_width(std::max(rows, 1U) - 1));
}

std::uint32_t RunTimes::most_rows(std::size_t size_class) {
    return size_class >= 32 ? UINT32_MAX : std::uint32_t{1} << size_class;
}

bool RunTimes::SizeClass::has_changed() const {
    if (runs.size() < 2 * agreeing_count) return false;
    const std::span older(runs.data(), runs.size() - agreeing_count);
    const double before = per_row(trimmed_mean(older));
    const auto latest = runs.end() - agreeing_count;
    const auto slower = [&](const CostPoint& run) { return per_row(run) > before * (1 + change); };
    const auto faster = [&](const CostPoint& run) { return per_row(run) < before * (1 - change); };
    return std::all_of(latest, runs.end(), slower) || std::all_of(latest, runs.end(), faster);
}

bool RunTimes::SizeClass::add(CostPoint run) {
    if (seen_count == first_run_count) runs.clear();
    seen_count = std::min<std::uint32_t>(seen_count + 1, first_run_count + known_from_count);
    const bool is_full = runs.size() == kept_count;
    if (is_full) runs.erase(runs.begin());
    runs.push_back(run);
    ++unseen_count;
    unseen_time += Duration(static_cast<std::int64_t>(run.nanoseconds));
    if (is_full && (unseen_count < look_every_count || unseen_time < look_every)) return false;
    unseen_count = 0;
    unseen_time = Duration{0};
    if (has_changed()) runs.erase(runs.begin(), runs.end() - agreeing_count);
    mean = trimmed_mean(runs);
    return true;
}

bool RunTimes::observe(std::uint32_t rows, Duration took) {
    rows = std::max(rows, 1U);
    const std::size_t at = class_of(rows);
    if (classes_.size() <= at) classes_.resize(at + 1);
    // Sums of kept_count runs must not overflow.
    constexpr std::int64_t longest = std::int64_t{1} << 58;
    const auto nanoseconds = std::clamp<std::int64_t>(took.count(), 1, longest);
    return classes_[at].add({rows, static_cast<std::uint64_t>(nanoseconds)});
}

Duration RunTimes::expected(std::uint32_t rows) const {
    std::vector<CostPoint> measured;
    for (const SizeClass& size : classes_) {
        if (size.mean.rows != 0) measured.push_back(size.mean);
    }
    const std::uint64_t ns = cost_at(measured.empty() ? advertised_ : measured, rows, 0);
    return Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(ns, INT64_MAX)));
}

bool RunTimes::knows(std::size_t size_class) const {
    return size_class < classes_.size() &&
           classes_[size_class].seen_count >= first_run_count + known_from_count;
}

double RunTimes::ns_per_row(std::size_t size_class) const {
    return per_row(classes_.at(size_class).mean);
}

std::vector<CostPoint> RunTimes::points() const {
    std::vector<CostPoint> known;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
        if (knows(i)) known.push_back(classes_[i].mean);
    }
    return known;
}

}  // namespace farm
