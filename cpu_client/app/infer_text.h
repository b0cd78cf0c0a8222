#pragma once

#include <filesystem>
#include <string>

#include "cpu_client/lib/inference.h"

namespace farm {

/// "scores.npy"; what may not be in a file name becomes '_'. Names come from the model.
std::string output_file_name(const std::string& tensor);

/// Who answered, where the time went, and what came out. `folder` is where the outputs were
/// written; empty when they were not.
std::string inference_text(const Inference& inference, const std::filesystem::path& folder);
/// The same for scripts, also of a call that failed.
std::string inference_json(const Inference& inference);

}  // namespace farm
