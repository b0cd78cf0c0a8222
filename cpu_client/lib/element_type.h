#pragma once

#include <cstdint>
#include <type_traits>

#include "schemas/tensor.h"

namespace farm {

/// The DType of a C++ element type: float is dtype::f32. Does not compile for what has none.
template <class T>
constexpr DType dtype_of() {
    using Element = std::remove_cv_t<T>;
    static_assert(std::is_arithmetic_v<Element> && !std::is_same_v<Element, long double>,
                  "tensors hold bool, integers, float and double");
    const auto bits = static_cast<std::uint8_t>(8 * sizeof(Element));
    if constexpr (std::is_same_v<Element, bool>) {
        return DType{DType::boolean, bits, 1};
    } else if constexpr (std::is_floating_point_v<Element>) {
        return DType{DType::floating, bits, 1};
    } else {
        return DType{std::is_signed_v<Element> ? DType::integer : DType::uint, bits, 1};
    }
}

}  // namespace farm
