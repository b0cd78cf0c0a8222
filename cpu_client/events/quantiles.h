#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace farm {

/// A distribution given by its quantiles, linear between them. Shares go from 0 to 1.
template <std::size_t count>
struct Quantiles {
    std::array<double, count> share;
    std::array<double, count> value;

    double at(double p) const {
        const auto place = std::upper_bound(share.begin() + 1, share.end() - 1, p);
        const auto i = static_cast<std::size_t>(place - share.begin());
        const double part = (p - share[i - 1]) / (share[i] - share[i - 1]);
        return value[i - 1] + part * (value[i] - value[i - 1]);
    }
};

/// A falling spectrum given by the share of it above each value, a power law between them. Shares
/// go from 1 to that of the hardest, which ends it.
template <std::size_t count>
struct FallingSpectrum {
    std::array<double, count> value;
    std::array<double, count> share_above;

    double at(double p) const {
        const double above = std::max(1 - p, share_above.back());
        std::size_t i = 1;
        while (i + 1 < count && share_above[i] > above) ++i;
        const double part =
            std::log(above / share_above[i - 1]) / std::log(share_above[i] / share_above[i - 1]);
        return value[i - 1] * std::pow(value[i] / value[i - 1], part);
    }
};

}  // namespace farm
