#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace inference {
class ModelConfig;
}

namespace farm {

/// Parses the text of a config.pbtxt. Errors: "<name>:<line>:<column>: <what protobuf says>", one
/// for the first defect, lines and columns from 1. `name` is how people know the text.
Result<void> parse_config(std::string_view text, const std::string& name,
                          inference::ModelConfig& config);

/// Reads and parses a file of at most 1 MiB.
Result<void> read_config(const std::filesystem::path& file, inference::ModelConfig& config);

}  // namespace farm
