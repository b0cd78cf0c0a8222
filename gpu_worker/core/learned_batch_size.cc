#include "gpu_worker/core/learned_batch_size.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "schemas/cost_curve.h"

namespace farm {

namespace {

/// What a trial is charged at least, of its time: else sizes that are as good would be tried
/// always.
constexpr double least_charge = 0.5;
/// A size above the usual one is tried for the first time only if the size below it does not need
/// more than so many times the best time per row: beyond a cliff it goes further down.
constexpr double cliff = 1.5;
/// A trial that takes less than this part of what was believed is repeated at once.
constexpr double surprise = 0.75;

std::size_t distance(std::size_t a, std::size_t b) { return a < b ? b - a : a - b; }

}  // namespace

LearnedBatchSize::LearnedBatchSize(std::uint32_t most_rows)
    : most_rows_(most_rows == 0 ? UINT32_MAX : most_rows), rows_(most_rows_) {}

RunSize LearnedBatchSize::choose(std::uint32_t available_rows) {
    const std::uint32_t possible = std::clamp(available_rows, 1U, most_rows_);
    const std::size_t usual = RunTimes::class_of(std::min(possible, rows_));
    const bool may_be_trial = !std::exchange(tried_last_, false);
    if (!may_be_trial) return {rows_, false};
    std::optional<std::size_t> best;
    const auto is_better = [&](std::size_t a, std::size_t b) {
        if (times_.knows(a) != times_.knows(b)) return times_.knows(b);
        if (due_[a] != due_[b]) return due_[a] < due_[b];
        return distance(a, usual) < distance(b, usual);
    };
    for (std::size_t at = 0; at <= RunTimes::class_of(possible); ++at) {
        if (may_try(at, usual) && (!best || is_better(at, *best))) best = at;
    }
    if (!best) return {rows_, false};
    tried_last_ = true;
    return {std::min(RunTimes::most_rows(*best), most_rows_), true};
}

bool LearnedBatchSize::may_try(std::size_t size_class, std::size_t usual) const {
    if (size_class == usual || !times_.knows(usual) || busy_ < due_[size_class]) return false;
    if (size_class < usual || times_.knows(size_class)) return true;
    const std::size_t below = size_class - 1;
    return times_.knows(below) && times_.ns_per_row(below) < cliff * times_.ns_per_row(usual);
}

void LearnedBatchSize::observe(std::uint32_t rows, Duration took, RunSize size, bool counts) {
    rows = std::max(rows, 1U);
    const std::size_t made = RunTimes::class_of(rows);
    const bool is_news = times_.knows(made) && static_cast<double>(took.count()) <
                                                   surprise * rows * times_.ns_per_row(made);
    busy_ += std::max(took, Duration{0});
    if (counts && times_.observe(rows, took)) find_knee();
    if (!size.is_trial) return;
    const std::size_t meant = RunTimes::class_of(size.rows);
    // A class that the calls at hand could not make is not tried at every turn.
    if (made != meant || !counts || (times_.knows(meant) && !is_news)) charge(meant, rows, took);
}

void LearnedBatchSize::charge(std::size_t size_class, std::uint32_t rows, Duration took) {
    const std::size_t made = RunTimes::class_of(rows);
    double cost = least_charge * static_cast<double>(took.count());
    if (times_.knows(made)) {
        const double lost = rows * (times_.ns_per_row(made) - times_.ns_per_row(knee_));
        cost = std::max(least_charge * rows * times_.ns_per_row(made), lost);
    }
    const auto classes = static_cast<double>(times_.class_end());
    const double wait = std::min(cost * classes / trial_share, 1e17);
    due_[size_class] =
        std::max(due_[size_class], busy_) + Duration(static_cast<std::int64_t>(wait));
}

/// The largest known size may be the knee only because nothing above was tried.
void LearnedBatchSize::find_knee() {
    const std::vector<CostPoint> points = times_.points();
    has_learned_ = !points.empty();
    if (!has_learned_) return;
    knee_ = RunTimes::class_of(knee_rows(points));
    const std::uint32_t full = full_run_rows(points, most_rows_);
    rows_ = full == most_rows_ ? most_rows_ : std::min(most_rows_, RunTimes::most_rows(knee_));
}

}  // namespace farm
