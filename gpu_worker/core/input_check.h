#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu_worker/core/backend.h"
#include "schemas/service.h"

namespace farm {

/// Compares the tensors of one call with what the service takes, and puts them into the order of
/// its signature. Returns the call's rows: dimension 0 of its first input.
///
/// Checked: names (missing, unknown, twice), element type, rank, every dimension that the
/// signature fixes, byte size, and with a batch dimension (BatchRule::rows, pad_mask, ragged) that
/// all inputs have the same 1 to `max_batch_rows` rows. Values are not looked at. A signature
/// without inputs is unchecked but for sizes, names given twice and rows: the reference backend's
/// wildcard. Errors are ErrorCode::invalid or too_large and name the input, its value and the
/// limit: "input 'nodes' has 4 columns (model 'gnn' version 1 takes 3): send float32 [n, 3]". After
/// an error the order of `inputs` is unspecified.
Result<std::uint32_t> check_inputs(const ServiceAd& service, TensorList& inputs);

/// Compares what a backend returned for a run of `run_rows` rows with the signature: count, names,
/// types, ranks, fixed dimensions, byte sizes; with BatchRule::rows and pad_mask dimension 0 is
/// `run_rows`. Shapes of a ragged batch are left to Batching::split().
/// A failure (ErrorCode::device) is the model's, not the caller's. Output order is not changed.
Result<void> check_outputs(const ServiceAd& service, std::uint32_t run_rows,
                           const TensorList& outputs);

/// "float32 [n, 3]": what to send for this tensor. Free dimensions are n, m, k, then -1.
std::string describe(const TensorSpec& spec);

}  // namespace farm
