#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"

namespace farm {

/// 2 for "pf_mask__2"; nothing without two underscores and a number at the end.
std::optional<std::uint32_t> index_suffix(std::string_view name);

/// Which argument of forward() each input fills: by the argument's own name when every input has
/// one, by the number when every input is called `name__number`, else in order.
/// Errors: two inputs for one argument, or a number beyond the last argument.
Result<std::vector<std::size_t>> argument_positions(std::span<const std::string> inputs,
                                                    std::span<const std::string> arguments);

/// Which of the returned tensors each output is: by the number when every output is called
/// `name__number`, else in order. Positions may lie beyond what a run returns.
std::vector<std::size_t> result_positions(std::span<const std::string> outputs);

}  // namespace farm
