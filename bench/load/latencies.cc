#include "bench/load/latencies.h"

#include <algorithm>
#include <cmath>

namespace farm::bench {

Sample Latencies::summary(double seconds) {
    if (microseconds_.empty()) return {};
    std::sort(microseconds_.begin(), microseconds_.end());
    const auto count = static_cast<double>(microseconds_.size());
    const auto rank = [&](double fraction) {
        return microseconds_[static_cast<std::size_t>(std::ceil(fraction * count)) - 1];
    };
    return {microseconds_.size(), count / seconds, rank(0.50), rank(0.99)};
}

}  // namespace farm::bench
