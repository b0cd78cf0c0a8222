#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace farm::bench {

/// One measurement: so many calls kept open at a time, for so long or for an exact number of calls.
struct Load {
    std::size_t bytes{1024};  ///< of the one tensor that each call sends
    int outstanding{1};
    double seconds{1};
    std::uint64_t calls{0};  ///< > 0: exactly so many, whatever `seconds` says

    friend bool operator==(const Load&, const Load&) = default;
};

/// What one measurement gave.
struct Sample {
    std::uint64_t calls{0};  ///< that ended OK
    double calls_per_s{0};
    double p50_us{0};
    double p99_us{0};

    friend bool operator==(const Sample&, const Sample&) = default;
};

/// How both travel to and from the process that measures: JSON objects. Errors (invalid) say what
/// is missing or of the wrong type.
std::string to_json(const Load& load);
std::string to_json(const Sample& sample);
Result<Load> parse_load(std::string_view json);
Result<Sample> parse_sample(std::string_view json);

}  // namespace farm::bench
