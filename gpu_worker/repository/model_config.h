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
///     farm.batch                "none" or "rows": overrides what max_batch_size says
///     farm.intra_op_threads     threads inside one run of one instance (default 1)
///     farm.idempotent           "false": a call that may have run is never sent again
///     farm.max_result_bytes     room reserved for one call's outputs (default: what the signature
///                               fixes, else limits::default_result_bytes)
///     farm.reference.*          see backends/reference_backend.h
Result<ModelSource> describe_model(const inference::ModelConfig& config,
                                   const std::filesystem::path& folder);

}  // namespace farm
