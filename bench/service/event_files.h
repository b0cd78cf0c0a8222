#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "schemas/tensor.h"

namespace farm::bench {

/// float32 tensor of normally distributed values.
Tensor random_floats(const std::string& name, Shape shape, std::mt19937& engine);
/// The same with one value everywhere.
Tensor constant_floats(const std::string& name, Shape shape, float value);

/// `edges` pairs of `nodes` points, the larger index first: int64 [2, edges].
Tensor random_edges(const std::string& name, std::int64_t nodes, std::int64_t edges,
                    std::mt19937& engine);

/// Writes <folder>/<tensor name>.npy for each.
Result<void> write_event(const std::filesystem::path& folder, const std::vector<Tensor>& tensors);

}  // namespace farm::bench
