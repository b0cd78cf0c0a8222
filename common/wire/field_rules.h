#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "schemas/limits.h"

/// What message_fields.h says about a field; FieldReader enforces it, FieldWriter obeys it.
namespace farm {

/// A number that equals `fallback` is not sent. `high` is also bounded by the member's own type.
struct NumberRule {
    std::uint64_t fallback{0};
    std::uint64_t low{0};
    std::uint64_t high{std::numeric_limits<std::uint64_t>::max()};
};

enum class TextKind : std::uint8_t {
    name,        ///< for people and labels: UTF-8 without control characters
    identifier,  ///< the same, but ours to compare: never cleaned on the way out
    text,        ///< error texts: UTF-8
    service,     ///< is_service_name()
    model,       ///< a service name without version
    token,       ///< UTF-8 without control characters
    url,         ///< printable ASCII without spaces
};

constexpr std::size_t limit_bytes(TextKind kind) {
    switch (kind) {
        case TextKind::text: return limits::detail_bytes;
        case TextKind::token: return limits::token_bytes;
        case TextKind::url: return limits::url_bytes;
        default: return limits::name_bytes;
    }
}

/// An optional text may be empty, and is then not sent; a required one is refused when empty.
enum class Presence : std::uint8_t { optional, required };

inline constexpr int largest_key = 31;
inline constexpr int smallest_key = -32;

}  // namespace farm
