#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// What bytes a string on the wire may have.
namespace farm {

/// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// UTF-8 without control characters (C0, DEL): safe in a log line, on a terminal, in a label.
bool is_name(std::string_view text);

/// The longest prefix of at most `limit_bytes` that ends between characters, with each byte that is
/// not UTF-8 replaced by '?'.
std::string clean_text(std::string_view text, std::size_t limit_bytes);

/// clean_text() with control characters replaced too.
std::string clean_name(std::string_view text, std::size_t limit_bytes);

/// The first bytes in quotes, for an error text: printable ASCII only, "..." where it was cut.
std::string in_quotes(std::string_view text);

}  // namespace farm
