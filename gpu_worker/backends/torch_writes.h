#pragma once

#include <torch/csrc/jit/api/module.h>

namespace farm {

/// Whether forward() may write to its inputs, or to views of them, in place: then a run needs
/// copies, for the bytes belong to the caller and may be mapped for reading only. True when it
/// cannot be told.
bool writes_to_inputs(const torch::jit::Module& module);

}  // namespace farm
