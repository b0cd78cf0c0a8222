#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace farm {

/// The whole file. Errors (not_found, too_large, io) name it; `advice` says what to give instead,
/// for instance "give one file for each event".
Result<std::string> read_file_text(const std::filesystem::path& file, std::uintmax_t limit_bytes,
                                   std::string_view advice);

/// Replaces the file. Error (io) names it.
Result<void> write_file_text(const std::filesystem::path& file, std::string_view text);

/// With the folders above it; one that is there is as good. Error (io) names it; `advice` as above.
Result<void> make_folder(const std::filesystem::path& folder, std::string_view advice);

}  // namespace farm
