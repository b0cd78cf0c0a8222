#include "cpu_client/app/quantity_text.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace farm {

namespace {

/// Three digits that matter.
std::string three_digits(double value) {
    if (value >= 99.95) return fmt::format("{:.0f}", value);
    if (value >= 9.995) return fmt::format("{:.1f}", value);
    return fmt::format("{:.2f}", value);
}

}  // namespace

std::string duration_text(std::uint64_t nanoseconds) {
    const double seconds = static_cast<double>(nanoseconds) * 1e-9;
    if (nanoseconds < 1000) return fmt::format("{} ns", nanoseconds);
    if (seconds < 999.5e-6) return three_digits(seconds * 1e6) + " us";
    if (seconds < 999.5e-3) return three_digits(seconds * 1e3) + " ms";
    if (seconds < 600) return three_digits(seconds) + " s";
    if (seconds < 36000) return three_digits(seconds / 60) + " min";
    return three_digits(seconds / 3600) + " h";
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    constexpr std::array<std::string_view, 4> units{"KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.5 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{} {}", three_digits(value), units[unit]);
}

std::string rate_text(double per_second) {
    if (per_second >= 1e6) return fmt::format("{:.3g}", per_second);
    return three_digits(per_second);
}

}  // namespace farm
