#pragma once

#include <filesystem>
#include <string>

#include "common/core/error.h"
#include "gpu_worker/core/model_source.h"

namespace inference {
class ModelConfig;
}

namespace farm {

/// Turns a parsed config.pbtxt into what is common to all versions of the model: `version`,
/// `latest`, `file` and `hash` are left as they are by default.
///
/// `folder` is the model's folder; its name is the model's, and a different `name` in the file is
/// an error. Errors name the field, the value and what is supported. Our own parameters:
///     farm.batch and what belongs to it: see batch_config.h
///     farm.intra_op_threads     threads inside one run of one instance (default 1)
///     farm.precision            "fp32" (default: the file's own numbers), "bf16", "fp16" (on a
///     GPU), or
///                               "fp64" (to see what rounding does): of weights and floating
///                               inputs; outputs are what the signature says
///     farm.idempotent           "false": a call that may have run is never sent again
///     farm.max_result_bytes     room reserved for one call's outputs (default: what the signature
///                               fixes, else limits::default_result_bytes)
///     farm.reference.*          see backends/reference_backend.h
Result<ModelSource> describe_model(const inference::ModelConfig& config,
                                   const std::filesystem::path& folder);

}  // namespace farm
