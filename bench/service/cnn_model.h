#pragma once

#include <filesystem>
#include <string>

#include "common/core/error.h"

namespace farm::bench {

/// Writes a TorchScript network of the layout of LArSoft's EmTrkMichelId: image [n, 48, 48, 1],
/// convolution 5x5 with 48 channels without padding, dense 128, dense 32, then softmax over 3 and
/// sigmoid of 1; ReLU between. The weights are random from a fixed seed: what it costs is all that
/// is real about it. Errors: unavailable in a build without libtorch, io.
Result<void> write_cnn(const std::filesystem::path& file);

/// "libtorch 1.13.1", that of this build; goes with the figures.
std::string libtorch_version();
/// 1, or 2 with the PyTorch wheel's; 0 without libtorch.
int libtorch_major_version();

}  // namespace farm::bench
