#include "gpu_worker/device/memory_limit.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace farm {

namespace {

constexpr std::uint64_t least_bytes = std::uint64_t{1} << 20;

struct Unit {
    std::string_view name;
    int shift;
};
constexpr std::array<Unit, 4> units = {{{"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"", 0}}};

tl::unexpected<Error> refuse(ErrorCode code, std::string_view text, const std::string& why) {
    return fail(code, "--device-memory-limit '" + std::string(text) + "' " + why +
                          ": give 1% to 100%, or bytes as 8GiB or 512MiB");
}

/// The number before the unit; nothing when there is none, or anything else beside it.
std::optional<std::uint64_t> number_before(std::string_view text, std::string_view unit) {
    if (!text.ends_with(unit)) return std::nullopt;
    text.remove_suffix(unit.size());
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
    for (const Unit& unit : units) {
        const auto number = number_before(text, unit.name);
        if (!number) continue;
        const bool fits = *number <= UINT64_MAX >> unit.shift;
        return fits ? *number << unit.shift : UINT64_MAX;
    }
    return std::nullopt;
}

}  // namespace

Result<double> parse_memory_limit(std::string_view text, std::uint64_t device_bytes) {
    if (const auto percent = number_before(text, "%")) {
        if (*percent >= 1 && *percent <= 100) return static_cast<double>(*percent) / 100;
        return refuse(ErrorCode::invalid, text, "is no share of the device");
    }
    const auto bytes = bytes_of(text);
    if (!bytes) return refuse(ErrorCode::invalid, text, "is no amount of memory");
    if (*bytes < least_bytes) {
        return refuse(ErrorCode::invalid, text,
                      "is too little (the least is " + std::to_string(least_bytes) + " bytes)");
    }
    if (*bytes > device_bytes) {
        return refuse(ErrorCode::too_large, text,
                      "is more than the device has (" + std::to_string(device_bytes) + " bytes)");
    }
    return static_cast<double>(*bytes) / static_cast<double>(device_bytes);
}

}  // namespace farm
