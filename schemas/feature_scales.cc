#include "schemas/feature_scales.h"

#include <array>
#include <charconv>
#include <cmath>

namespace farm {

std::string to_text(const FeatureScales& scales) {
    std::string text;
    for (const double scale : {scales.r, scales.phi, scales.z}) {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), scale).ptr;
        if (!text.empty()) text += ',';
        text.append(digits.data(), end);
    }
    return text;
}

Result<FeatureScales> parse_feature_scales(std::string_view text) {
    FeatureScales scales;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (double* scale : {&scales.r, &scales.phi, &scales.z}) {
        const auto read = std::from_chars(at, end, *scale);
        const bool is_last = scale == &scales.z;
        const bool goes_on = is_last ? read.ptr == end : read.ptr != end && *read.ptr == ',';
        if (read.ec != std::errc{} || !goes_on || !(std::isfinite(*scale) && *scale > 0)) {
            return fail(ErrorCode::invalid, "scales '" + std::string(text) +
                                                "' are not R,PHI,Z, three positive numbers");
        }
        at = is_last ? end : read.ptr + 1;
    }
    return scales;
}

}  // namespace farm
