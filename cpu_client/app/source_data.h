#pragma once

#include <string>
#include <string_view>

namespace farm {

/// `data/NAME` below the working folder, or below the source tree that this build lies in: what
/// flags have as their defaults.
std::string source_data(std::string_view name);

}  // namespace farm
