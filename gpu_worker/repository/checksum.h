#pragma once

#include <filesystem>
#include <string>

#include "common/core/error.h"
#include "schemas/service.h"

namespace farm {

/// MD5 of a file as 32 lower-case hex digits, as Triton's checksum agent writes it.
Result<std::string> md5_hex(const std::filesystem::path& file);

/// SHA-256 over all files below `folder` in the order of their relative names; of each file its
/// name, a zero byte, its size (8 bytes, little-endian) and its bytes.
Result<ContentHash> hash_folder(const std::filesystem::path& folder);

/// The same over one file; its name is the part after the last slash.
Result<ContentHash> hash_file(const std::filesystem::path& file);

}  // namespace farm
