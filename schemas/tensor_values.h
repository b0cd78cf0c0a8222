#pragma once

#include <cstring>
#include <vector>

#include "schemas/tensor.h"

namespace farm {

/// The elements, row after row. Requires that Number is as the tensor's type says.
template <class Number = float>
std::vector<Number> values_of(const Tensor& tensor) {
    std::vector<Number> values(tensor.data.size() / sizeof(Number));
    if (!values.empty()) {
        std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(Number));
    }
    return values;
}

}  // namespace farm
