#pragma once

#include <numbers>
#include <span>
#include <string_view>

#include "cpu_client/events/trackml_csv.h"
#include "schemas/tensor.h"

namespace farm {

/// How much of a coordinate is one unit of a service's FEATURES: mm, rad and mm. The defaults are
/// those of the Exa.TrkX service; a service that takes mm and rad has 1 for all.
struct FeatureScales {
    double r{1000};
    double phi{std::numbers::pi};
    double z{1000};
};

/// Tensor `name`, float32 [hits, 3]: r, phi in (-pi, pi], z, each divided by its scale.
Tensor hit_features(std::string_view name, std::span<const Hit> hits, const FeatureScales& scales);

}  // namespace farm
