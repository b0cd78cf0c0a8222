#include "bench/load/series.h"

#include <algorithm>

namespace farm::bench {

Spread spread_of(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    const double median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {median, values.front(), values.back()};
}

Spread ratio_of(std::span<const double> numerators, std::span<const double> denominators) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(numerators.size(), denominators.size()); ++i) {
        if (denominators[i] > 0) ratios.push_back(numerators[i] / denominators[i]);
    }
    return spread_of(std::move(ratios));
}

}  // namespace farm::bench
