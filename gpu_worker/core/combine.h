#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu_worker/core/tensor_rows.h"

namespace farm {

/// BatchRule::rows: several calls become one run by concatenation on dimension 0, and the outputs
/// of the run are cut back into calls. Pure functions; calls have passed check_inputs().

/// Whether the two calls may share a run: same tensors by name, type, and every dimension but the
/// first.
bool same_shape_beyond_rows(const TensorList& a, const TensorList& b);

/// One tensor per input, each in one 64-byte aligned block; the buffers of a single call are
/// passed on without a copy. Requires at least one call, and same_shape_beyond_rows() of all.
/// Throws what `allocate` does.
TensorList combine_rows(RunCalls calls, const Allocate& allocate);

/// The outputs of a run, cut into its calls: the i-th part has `rows[i]` rows. Parts share the
/// memory of `outputs`. Requires check_outputs() to have passed with the sum of `rows`.
std::vector<TensorList> split_rows(const TensorList& outputs, std::span<const std::uint32_t> rows);

}  // namespace farm
