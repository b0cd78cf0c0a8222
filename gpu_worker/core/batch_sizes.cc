#include "gpu_worker/core/batch_sizes.h"

#include <algorithm>
#include <cmath>

namespace farm {

namespace {

std::size_t place_of(std::uint32_t company) {
    return std::clamp(company, 1U, BatchSizes::most_company) - 1;
}

}  // namespace

void Company::pass(TimePoint now) {
    if (now <= at_) return;
    run_ns_ += static_cast<double>((now - at_).count()) * count_;
    at_ = now;
}

std::uint32_t Company::since(const Mark& mark, TimePoint now) {
    pass(now);
    const double lasted = static_cast<double>((now - mark.at).count());
    if (lasted <= 0) return std::max(1U, count_);
    return std::max(1U, static_cast<std::uint32_t>(std::lround((run_ns_ - mark.run_ns) / lasted)));
}

BatchSizes::BatchSizes(std::uint32_t most_rows, std::vector<CostPoint> advertised)
    : by_company_(most_company, LearnedBatchSize(most_rows)), advertised_(std::move(advertised)) {}

BatchSizes::Choice BatchSizes::choose(std::uint32_t company, std::uint32_t available_rows) {
    LearnedBatchSize& own = by_company_[place_of(company)];
    const std::uint32_t usual_rows = own.has_learned() ? own.rows() : rows();
    Choice choice{own.choose(available_rows), company, usual_rows};
    if (!choice.size.is_trial) choice.size.rows = usual_rows;
    return choice;
}

void BatchSizes::observe(std::uint32_t company, std::uint32_t rows, Duration took,
                         const Choice& choice, bool is_trial) {
    const std::size_t place = place_of(choice.company);
    const RunSize size{choice.size.rows, is_trial};
    by_company_[place].observe(rows, took, size, place_of(company) == place);
    if (by_company_[place].busy() > by_company_[usual_].busy()) usual_ = place;
}

Duration BatchSizes::expected(std::uint32_t rows) const {
    const Duration measured = usual().times().expected(rows);
    return measured > Duration{0} ? measured : RunTimes(advertised_).expected(rows);
}

}  // namespace farm
