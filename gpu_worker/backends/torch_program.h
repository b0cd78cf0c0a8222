#pragma once

#include <torch/script.h>

#include <optional>

#include "common/core/error.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

/// A TorchScript program on its device, ready to run: for the instances of a model, and for
/// whoever runs forward() on tensors that already lie there. Immutable once loaded, shared by
/// threads; each takes its own torch::jit::Method of `module`.
struct TorchProgram {
    torch::jit::Module module;   ///< frozen where that can be, in eval mode
    c10::FunctionSchema schema;  ///< of forward() as saved: argument names and defaults
    c10::Device device;
    std::optional<at::ScalarType> precision;  ///< of weights and floating inputs; none: as saved
    int thread_count{1};                      ///< intra-op, on a CPU
    bool writes_to_inputs{false};             ///< in place: give it copies
};

/// Loads `source.file` onto the device, in the precision that the source asks for.
/// Errors (invalid): no TorchScript, no forward(), a precision that the device does not have.
Result<TorchProgram> load_torch_program(const ModelSource& source, const Device& device);

/// For the calling thread, before it runs forward(): libtorch counts threads per thread (OpenMP).
void use_threads(int count);

}  // namespace farm
