#include "gpu_worker/core/shape_classes.h"

namespace farm {

namespace {

/// Exact: each name is preceded by its length, each number closed by a separator.
std::string key_of(const TensorList& call) {
    std::string key;
    for (const Tensor& tensor : call) {
        const TensorDesc& desc = tensor.desc;
        key += std::to_string(desc.name.size()) + ":" + desc.name;
        key += std::to_string(desc.type.code) + "," + std::to_string(desc.type.bits) + "," +
               std::to_string(desc.type.lanes);
        for (std::size_t i = 0; i < desc.shape.size(); ++i) {
            key += ",";
            if (i != 0) key += std::to_string(desc.shape[i]);
        }
        key += ";";
    }
    return key;
}

}  // namespace

std::uint64_t ShapeClasses::class_of(const TensorList& call) {
    std::string key = key_of(call);
    if (const auto known = classes_.find(key); known != classes_.end()) return known->second;
    if (classes_.size() >= limit_count) classes_.clear();
    classes_.emplace(std::move(key), next_);
    return next_++;
}

}  // namespace farm
