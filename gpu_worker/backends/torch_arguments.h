#pragma once

#include <torch/script.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

/// How tensors by name become the arguments of forward() and its result becomes tensors by name.
/// Made once for a model, immutable, shared by its instances.
class TorchArguments {
  public:
    /// Errors: forward() cannot be fed with these inputs; says what to write.
    static Result<TorchArguments> make(const ModelSource& source,
                                       const c10::FunctionSchema& schema);

    /// Without `self`. An input that is not there has its default value. With a precision, floating
    /// inputs are brought to it. `copies`: whatever the model writes, the inputs stay as they are.
    tl::expected<std::vector<c10::IValue>, RunFailure> arguments(
        std::span<const Tensor> inputs, const c10::Device& device,
        std::optional<at::ScalarType> precision, bool copies) const;

    /// In the order of the signature, or of the result when there is no signature. Floating outputs
    /// have the type that the signature declares, if they are `precision`.
    tl::expected<TensorList, RunFailure> outputs(const c10::IValue& result,
                                                 std::optional<at::ScalarType> precision) const;

  private:
    struct Slot {
        std::string input;
        std::size_t position{0};
    };

    std::string model_;
    std::vector<Slot> slots_;               ///< by input
    std::vector<c10::Argument> arguments_;  ///< of forward, without self
    std::vector<std::string> output_names_;
    std::vector<at::ScalarType> output_types_;
    std::vector<std::size_t> output_positions_;
};

}  // namespace farm
