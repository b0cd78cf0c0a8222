#pragma once

#include <string>

#include "common/core/error.h"
#include "gpu_worker/repository/model_config.pb.h"
#include "schemas/tensor.h"

namespace farm {

/// The type that a data_type field names; `owner` is whose field it is, for the error.
Result<DType> dtype_of(const std::string& owner, inference::DataType type);

}  // namespace farm
