#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "schemas/messages.h"

namespace farm {

/// Tensors of one call or run, in the order of the model's signature; optional inputs that the
/// call left out are missing, so a backend finds its tensors by name where a model has some.
using TensorList = std::vector<Tensor>;

/// Why a run gave nothing.
struct RunFailure {
    Outcome outcome{Outcome::device_fault};  ///< input_error, retryable_fault or device_fault
    std::string detail;
};

/// What one run gives back: outputs of the whole batch, or why there are none.
using RunResult = tl::expected<TensorList, RunFailure>;

/// What a model asks of the batcher (Triton's dynamic_batching); rows are dimension 0.
struct BatchHints {
    std::vector<std::uint32_t> preferred_rows;  ///< ascending; empty: whatever waits
    std::chrono::microseconds max_queue_delay{0};

    friend bool operator==(const BatchHints&, const BatchHints&) = default;
};

/// One instance of one loaded model on one device.
///
/// It decides nothing: it gets the tensors of one run, already checked against the signature and
/// combined by the batch rule, and returns the outputs in the order of the signature.
/// Owned by one executor thread, which is the only one to call run(). Never throws: exceptions of
/// libraries end inside as RunFailure. Output buffers stay valid after the next run and after the
/// instance is gone; they may share memory with the inputs.
class BackendInstance {
  public:
    virtual ~BackendInstance() = default;
    virtual RunResult run(std::span<const Tensor> inputs) = 0;
    /// Cheap enough for the worker's loop thread: no hand-off between threads.
    virtual bool runs_inline() const { return false; }
};

/// A loaded model: what it offers and a maker of instances. Shared by the instances; immutable.
/// make_instance() may be called from any thread, by one thread at a time.
class LoadedModel {
  public:
    virtual ~LoadedModel() = default;
    /// The advertisement without index, cost and direct_url, which the worker fills in. The
    /// worker's labels come behind its own.
    virtual const ServiceAd& service() const = 0;
    virtual Result<std::unique_ptr<BackendInstance>> make_instance() = 0;
};

}  // namespace farm
