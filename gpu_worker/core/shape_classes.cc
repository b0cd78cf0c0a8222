#include "gpu_worker/core/shape_classes.h"

#include <utility>

namespace farm {

std::uint64_t ShapeClasses::class_of(std::string shape_key) {
    if (const auto known = classes_.find(shape_key); known != classes_.end()) return known->second;
    if (classes_.size() >= limit_count) classes_.clear();
    classes_.emplace(std::move(shape_key), next_);
    return next_++;
}

}  // namespace farm
