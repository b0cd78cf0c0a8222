#pragma once

#include <span>
#include <string_view>

#include "cpu_client/events/trackml_csv.h"
#include "schemas/feature_scales.h"
#include "schemas/tensor.h"

namespace farm {

/// Tensor `name`, float32 [hits, 3]: r, phi in (-pi, pi], z, each divided by its scale.
Tensor hit_features(std::string_view name, std::span<const Hit> hits, const FeatureScales& scales);

}  // namespace farm
