#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "schemas/messages.h"

namespace farm {

/// Tensors of one call, in the order of the model's signature.
using TensorList = std::vector<Tensor>;

/// What one run gives back: outputs of the whole batch, or why there are none.
struct RunFailure {
    Outcome outcome{Outcome::device_fault};  ///< input_error, retryable_fault or device_fault
    std::string detail;
};
using RunResult = tl::expected<TensorList, RunFailure>;

/// One instance of one loaded model on one device.
///
/// It decides nothing: it gets the tensors of one run, already checked against the signature and
/// combined by the batch rule, and returns the outputs in the order of the signature.
/// Owned by one executor thread, which is the only one to call run(). Never throws: exceptions of
/// libraries end inside as RunFailure. Output buffers must stay valid after the next run.
class BackendInstance {
  public:
    virtual ~BackendInstance() = default;
    virtual RunResult run(std::span<const Tensor> inputs) = 0;
    /// Cheap enough for the worker's loop thread: no hand-off between threads.
    virtual bool runs_inline() const { return false; }
};

/// A loaded model: what it offers and a maker of instances. Shared by the instances; immutable.
class LoadedModel {
  public:
    virtual ~LoadedModel() = default;
    /// The advertisement without index, cost and labels, which the worker fills in.
    virtual const ServiceAd& service() const = 0;
    virtual Result<std::unique_ptr<BackendInstance>> make_instance() = 0;
};

}  // namespace farm
