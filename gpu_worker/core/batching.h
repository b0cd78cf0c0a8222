#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/tensor_rows.h"
#include "schemas/service.h"

namespace farm {

/// What the batcher needs to know of one call.
struct CallMeasure {
    std::uint32_t rows{1};  ///< unit of the limit of a run, and of its cost
    std::string shape_key;  ///< only calls with equal keys may share a run
};

/// A batch rule made for one service: how its calls become the tensors of a run, and how the
/// outputs of the run become theirs again.
///
/// What it decides: who may share a run and how many rows a call counts; what the model sees. How
/// many calls a run has is the Batcher's. Immutable, made when the model loads (the makers say what
/// they need of a signature), shared by all threads of the service. Every method is a pure
/// function. Calls have passed check_inputs() and are in the order of the signature.
///
/// Each rule is exact: what a call gets does not depend on the company that it ran in, up to the
/// rounding of sums that the model does in another order.
class Batching {
  public:
    virtual ~Batching() = default;

    virtual BatchRule rule() const = 0;

    /// Rows and shape of one call, from its descriptors alone: the bytes may not be here yet.
    /// Errors (ErrorCode::invalid) name the inputs that do not fit together.
    virtual Result<CallMeasure> measure(const TensorList& call) const = 0;

    /// Looks at the values that could hurt other calls of the run, or the device.
    virtual Result<void> check_values(const TensorList&) const { return {}; }

    /// A lone call whose own tensors are what the model takes: combine() is not needed.
    virtual bool runs_as_it_is(const TensorList&) const { return true; }

    /// The tensors of the run, each in a 64-byte aligned block: of `allocate`, where they are not
    /// those of a lone call. Requires at least one call, equal keys, and that check_values()
    /// passed. An error (too_large) says that these calls cannot share a run after all. Throws what
    /// `allocate` does.
    virtual Result<TensorList> combine(RunCalls calls, const Allocate& allocate) const = 0;

    /// The outputs of a run, cut into those of its calls. Requires that check_outputs() passed.
    /// Errors (ErrorCode::device) name an output that is not shaped by the calls, as it must be.
    virtual Result<std::vector<TensorList>> split(TensorList outputs, RunCalls calls) const = 0;

    /// What the model takes beside the inputs of the calls; combine() makes it.
    virtual std::vector<TensorSpec> generated_inputs() const { return {}; }
};

/// BatchRule::none: one call, one run.
std::shared_ptr<const Batching> one_call_per_run();

/// BatchRule::rows: concatenation on dimension 0 of calls that differ in nothing else.
/// Error: an input or output whose first dimension is not free.
Result<std::shared_ptr<const Batching>> batch_rows(const Signature& signature);

/// What the model takes when this call runs alone, in ordinary memory.
Result<TensorList> lone_run(const Batching& batching, const TensorList& call);

/// Error unless the first dimension of every input and output is free; `rule` is for the text.
Result<void> check_batch_dimension(const Signature& signature, BatchRule rule);

/// Adds to a shape key: the name, type and rank of a tensor, and all dimensions but those of
/// `skipped`. Keys of different lists of tensors differ.
void add_to_key(const TensorDesc& desc, const std::vector<bool>& skipped, std::string& key);

}  // namespace farm
