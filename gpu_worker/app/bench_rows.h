#pragma once

#include <cstdint>

#include "common/core/error.h"
#include "gpu_worker/core/backend.h"

namespace farm {

/// An input of `rows` rows made of the rows of `event`, over and over (BatchRule::rows): what a
/// model costs by rows per run can be measured without inputs of every size. `rows` is 1 or more.
/// Throws std::bad_alloc.
Result<TensorList> with_rows(const ServiceAd& service, const TensorList& event, std::uint32_t rows);

}  // namespace farm
