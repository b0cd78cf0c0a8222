#pragma once

#include <filesystem>
#include <vector>

#include "gpu_worker/core/model_source.h"

namespace farm {

/// Reads a model repository in Triton's layout: `<model>/config.pbtxt`,
/// `<model>/<version>/model.pt`.
///
/// Decides which versions are served (version_policy), verifies checksums
/// (model_repository_agents) and hashes each version's files. It loads nothing. What is wrong with
/// one model is a LoadFailure of that model and does not touch the others; the error of the whole
/// (not_found, io, too_large) says that the folder itself cannot be read or holds more than
/// limits::services_per_worker_count services. Entries are in the order of model names, then
/// versions. Blocking file I/O; any thread.
///
/// Without a config.pbtxt a version folder with model.pt is served as "pytorch", and its signature
/// comes from the TorchScript file. Hidden folders and plain files are skipped.
Result<std::vector<RepositoryEntry>> scan_repository(const std::filesystem::path& repository);

}  // namespace farm
