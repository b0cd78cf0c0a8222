#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/core/error.h"

namespace inference {
class ModelVersionPolicy;
}

namespace farm {

/// Version folders of a model: those whose names are whole numbers from 1, ascending.
Result<std::vector<std::uint32_t>> list_versions(const std::filesystem::path& model_folder);

/// Which of `present` (ascending) the policy serves, ascending: the newest one by default. A
/// version that `specific` names is chosen even when it is not present, so that it can be missed.
std::vector<std::uint32_t> choose_versions(const std::vector<std::uint32_t>& present,
                                           const inference::ModelVersionPolicy& policy);

}  // namespace farm
