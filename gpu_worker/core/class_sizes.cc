#include "gpu_worker/core/class_sizes.h"

#include <algorithm>
#include <utility>

namespace farm {

ClassSizes::ClassSizes(std::uint32_t most_rows, std::vector<CostPoint> advertised)
    : most_rows_(most_rows), all_(most_rows, std::move(advertised)) {}

ClassSizes::Class& ClassSizes::find(std::uint64_t shape_class) {
    const auto known = classes_.find(shape_class);
    if (known != classes_.end()) return known->second;
    if (classes_.size() >= most_classes) {
        classes_.erase(std::ranges::min_element(
            classes_, {}, [](const auto& entry) { return entry.second.last_run; }));
    }
    return classes_.emplace(shape_class, Class{BatchSizes(most_rows_), runs_}).first->second;
}

BatchSizes::Choice ClassSizes::choose(std::uint64_t shape_class, std::uint32_t company,
                                      std::uint32_t available_rows) {
    Class& own = find(shape_class);
    own.last_run = ++runs_;
    BatchSizes::Choice choice = own.sizes.choose(company, available_rows);
    if (own.sizes.usual().has_learned()) return choice;
    choice.usual_rows = all_.rows();
    if (!choice.size.is_trial) choice.size.rows = choice.usual_rows;
    return choice;
}

void ClassSizes::observe(std::uint64_t shape_class, std::uint32_t company, std::uint32_t rows,
                         Duration took, const BatchSizes::Choice& choice, bool is_trial) {
    all_.observe(company, rows, took, choice, false);
    const auto known = classes_.find(shape_class);
    if (known == classes_.end()) return;
    known->second.sizes.observe(company, rows, took, choice, is_trial);
}

std::uint32_t ClassSizes::rows() const {
    std::uint32_t most = 0;
    for (const auto& [number, one] : classes_) {
        if (one.sizes.usual().has_learned()) most = std::max(most, one.sizes.rows());
    }
    return most > 0 ? most : all_.rows();
}

}  // namespace farm
