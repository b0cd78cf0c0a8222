#pragma once

#include <torch/script.h>

#include <memory>
#include <vector>

namespace farm {

/// Runs forward() as CUDA graphs, one for each set of input shapes that comes back: a replay costs
/// one launch instead of one for each kernel (CUDA programming guide, "CUDA Graphs").
///
/// Shapes run as they are twice, and are captured when they come for the third time; the graphs of
/// the last 16 are kept. Inputs are copied into the graph's own tensors and results lie in the
/// graph's own memory: they are valid until the next call of run(). What cannot be captured (a
/// model that looks at values on the host, or makes sizes from them) goes on running as it is, and
/// libtorch's log says so once. Owned and used by one instance, on its thread.
class CudaGraphs {
  public:
    virtual ~CudaGraphs() = default;
    /// As `forward(arguments)`, exceptions included.
    virtual c10::IValue run(torch::jit::Method& forward, std::vector<c10::IValue> arguments) = 0;
};

/// Null in a build without CUDA, and for a device that is none.
std::unique_ptr<CudaGraphs> make_cuda_graphs(const c10::Device& device);

}  // namespace farm
