#pragma once

#include <filesystem>
#include <string_view>

#include "common/core/error.h"

namespace farm {

/// Replaces the file. Error (io) names it.
Result<void> write_text_file(const std::filesystem::path& file, std::string_view text);

}  // namespace farm
