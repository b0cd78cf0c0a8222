#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/core/buffer.h"
#include "schemas/tensor.h"
#include "schemas/tensor_values.h"

namespace farm::testing {

/// A tensor with the given values; the type is the one that TensorDesc names for Number.
template <class Number>
Tensor tensor_of(std::string name, DType type, Shape shape, const std::vector<Number>& values) {
    return {{std::move(name), type, std::move(shape)},
            Buffer::copy_of(std::as_bytes(std::span(values)))};
}

inline Tensor floats(std::string name, Shape shape, const std::vector<float>& values) {
    return tensor_of(std::move(name), dtype::f32, std::move(shape), values);
}

inline Tensor integers(std::string name, Shape shape, const std::vector<std::int64_t>& values) {
    return tensor_of(std::move(name), dtype::i64, std::move(shape), values);
}

/// float32 zeros.
inline Tensor zeros(std::string name, Shape shape) {
    std::size_t count = 1;
    for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
    return floats(std::move(name), std::move(shape), std::vector<float>(count, 0.0F));
}

}  // namespace farm::testing
