#pragma once

#include <cstdint>
#include <span>

#include "gpu_worker/core/backend.h"

namespace farm {

/// The calls of one run in the order of the run: their tensors, which the caller owns.
using RunCalls = std::span<const TensorList* const>;

/// Tensor `index` of every call, one after the other in one 64-byte aligned block; dimension 0 is
/// the sum of theirs, the others are those of the first call. Throws what `allocate` does.
Tensor concatenate_rows(RunCalls calls, std::size_t index, const Allocate& allocate);

/// `count` rows of `whole` from row `first` on, sharing its memory. Requires that it has them.
Tensor slice_rows(const Tensor& whole, std::int64_t first, std::int64_t count);

/// Elements of a tensor of this shape. Requires that checked_size_bytes() has passed.
std::int64_t element_count(const Shape& shape);

}  // namespace farm
