#include "common/wire/text.h"

#include <algorithm>
#include <cstdint>

namespace farm {

namespace {

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

std::uint8_t byte_at(std::string_view text, std::size_t index) {
    return index < text.size() ? static_cast<std::uint8_t>(text[index]) : 0;
}

bool is_tail(std::uint8_t byte) { return (byte & 0xc0) == 0x80; }

/// Length of the character at the start of `text`; 0 when it is none. RFC 3629, section 4.
std::size_t character_bytes(std::string_view text) {
    const std::uint8_t first = byte_at(text, 0);
    const std::uint8_t second = byte_at(text, 1);
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4 || !is_tail(second)) return 0;
    if (first < 0xe0) return 2;
    if (!is_tail(byte_at(text, 2))) return 0;
    if (first < 0xf0) {
        const bool is_overlong = first == 0xe0 && second < 0xa0;
        const bool is_surrogate = first == 0xed && second > 0x9f;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    const bool is_overlong = first == 0xf0 && second < 0x90;
    const bool is_too_high = first == 0xf4 && second > 0x8f;
    return is_overlong || is_too_high || !is_tail(byte_at(text, 3)) ? 0 : 4;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = character_bytes(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

bool is_name(std::string_view text) {
    const auto is_printable_ascii = [](char c) { return c >= 0x20 && c < 0x7f; };
    if (std::all_of(text.begin(), text.end(), is_printable_ascii)) return true;
    return std::none_of(text.begin(), text.end(), is_control) && is_utf8(text);
}

std::string clean_text(std::string_view text, std::size_t limit_bytes) {
    std::string clean;
    while (!text.empty()) {
        const std::size_t length = character_bytes(text);
        const std::size_t used = std::max<std::size_t>(length, 1);
        if (clean.size() + used > limit_bytes) break;
        if (length == 0) {
            clean += '?';
        } else {
            clean += text.substr(0, length);
        }
        text.remove_prefix(used);
    }
    return clean;
}

std::string clean_name(std::string_view text, std::size_t limit_bytes) {
    std::string clean = clean_text(text, limit_bytes);
    std::replace_if(clean.begin(), clean.end(), is_control, '?');
    return clean;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t shown_bytes = 40;
    std::string shown = "'";
    for (const char c : text.substr(0, shown_bytes)) {
        shown += c >= 0x20 && c < 0x7f ? c : '?';
    }
    if (text.size() > shown_bytes) shown += "...";
    return shown + "'";
}

}  // namespace farm
