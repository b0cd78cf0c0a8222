#pragma once

#include <cstdint>
#include <string>

namespace farm {

/// Short text for people, at most 7 characters: "950 us", "1.25 ms", "42.0 s", "3.1 h".
std::string duration_text(std::uint64_t nanoseconds);
/// "512 B", "1.5 KiB", "2.0 GiB".
std::string bytes_text(std::uint64_t bytes);
/// "0.25", "42.1", "1234", "1.2e+07".
std::string rate_text(double per_second);

}  // namespace farm
