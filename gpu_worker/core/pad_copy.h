#pragma once

#include <cstddef>

#include "schemas/tensor.h"

namespace farm {

/// Copies a block of `from` elements of `element_bytes` into the corner of a block of shape `to`
/// that is at least as long in every dimension, and fills the rest with zeros. Shapes have the
/// same rank; row-major.
void copy_padded(const std::byte* source, const Shape& from, std::byte* target, const Shape& to,
                 std::size_t element_bytes);

/// The corner of shape `to` of a block of shape `from`, which is at least as long everywhere.
void copy_corner(const std::byte* source, const Shape& from, std::byte* target, const Shape& to,
                 std::size_t element_bytes);

}  // namespace farm
