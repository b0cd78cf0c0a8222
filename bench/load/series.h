#pragma once

#include <span>
#include <vector>

namespace farm::bench {

/// The same figure measured several times.
struct Spread {
    double median{0};
    double low{0};
    double high{0};

    /// (high - low) / median; 0 when the median is.
    double relative() const { return median == 0 ? 0 : (high - low) / median; }
};

/// All zero without values. Of an even number the median is the mean of the middle two.
Spread spread_of(std::vector<double> values);

/// The ratios repeat by repeat (the first with the first, ...), as far as both go: what drifts from
/// one repeat to the next drifts for both.
Spread ratio_of(std::span<const double> numerators, std::span<const double> denominators);

}  // namespace farm::bench
