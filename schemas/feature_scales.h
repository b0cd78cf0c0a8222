#pragma once

#include <numbers>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace farm {

/// How much of a coordinate is one unit of the FEATURES of a track finding service: mm, rad and mm.
/// The defaults are those of the Exa.TrkX service; a service that takes mm and rad has 1 for all.
struct FeatureScales {
    double r{1000};
    double phi{std::numbers::pi};
    double z{1000};

    friend bool operator==(const FeatureScales&, const FeatureScales&) = default;
};

/// The label by which such a service tells its scales (ServiceAd::labels).
inline constexpr std::string_view feature_scales_label = "farm.tracks.scales";

/// "1000,3.141592653589793,1000"
std::string to_text(const FeatureScales& scales);
/// Error (invalid) when the text is not three positive numbers.
Result<FeatureScales> parse_feature_scales(std::string_view text);

}  // namespace farm
