#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/core/buffer.h"

namespace farm::test {

/// Bytes written as hex digits; spaces do not count and '#' starts a comment.
std::string from_hex(std::string_view text);
/// 16 bytes a line.
std::string to_hex(Bytes bytes);

/// The bytes of golden/<name>.hex. With FARM_UPDATE_GOLDEN set in the environment it is written
/// from `actual` first: look at the difference before you commit it.
std::string golden(const std::string& name, Bytes actual);

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string string_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace farm::test
