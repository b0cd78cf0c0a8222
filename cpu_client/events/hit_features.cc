#include "cpu_client/events/hit_features.h"

#include <cmath>
#include <string>
#include <vector>

namespace farm {

Tensor hit_features(std::string_view name, std::span<const Hit> hits, const FeatureScales& scales) {
    std::vector<float> features;
    features.reserve(3 * hits.size());
    for (const Hit& hit : hits) {
        const double x = hit.x;
        const double y = hit.y;
        for (const double feature :
             {std::hypot(x, y) / scales.r, std::atan2(y, x) / scales.phi, hit.z / scales.z}) {
            features.push_back(static_cast<float>(feature));
        }
    }
    return {{std::string(name), dtype::f32, {static_cast<std::int64_t>(hits.size()), 3}},
            Buffer::copy_of(std::as_bytes(std::span(features)))};
}

}  // namespace farm
