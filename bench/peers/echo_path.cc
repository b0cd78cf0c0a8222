#include "bench/peers/echo_path.h"

#include <algorithm>

namespace farm::bench {

Sample Latencies::summary(double seconds) {
    if (microseconds_.empty()) return {};
    std::sort(microseconds_.begin(), microseconds_.end());
    const std::size_t count = microseconds_.size();
    return {static_cast<double>(count) / seconds, microseconds_[count / 2],
            microseconds_[count * 99 / 100]};
}

}  // namespace farm::bench
