#include "gpu_worker/backends/name_convention.h"

#include <algorithm>
#include <charconv>

namespace farm {

namespace {

/// Nothing when one of the names is not an argument.
std::optional<std::vector<std::size_t>> positions_by_name(std::span<const std::string> inputs,
                                                          std::span<const std::string> arguments) {
    std::vector<std::size_t> positions;
    for (const std::string& input : inputs) {
        const auto found = std::ranges::find(arguments, input);
        if (found == arguments.end()) return std::nullopt;
        positions.push_back(static_cast<std::size_t>(found - arguments.begin()));
    }
    return positions;
}

std::vector<std::size_t> positions_by_number_or_order(std::span<const std::string> names) {
    std::vector<std::size_t> numbers;
    std::vector<std::size_t> order;
    for (const std::string& name : names) {
        if (const auto index = index_suffix(name)) numbers.push_back(*index);
        order.push_back(order.size());
    }
    return numbers.size() == names.size() ? numbers : order;
}

}  // namespace

std::optional<std::uint32_t> index_suffix(std::string_view name) {
    const std::size_t underscores = name.rfind("__");
    if (underscores == std::string_view::npos) return std::nullopt;
    const std::string_view digits = name.substr(underscores + 2);
    std::uint32_t index = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, index);
    if (error != std::errc() || stop != end) return std::nullopt;
    return index;
}

Result<std::vector<std::size_t>> argument_positions(std::span<const std::string> inputs,
                                                    std::span<const std::string> arguments) {
    const auto named = positions_by_name(inputs, arguments);
    std::vector<std::size_t> positions = named ? *named : positions_by_number_or_order(inputs);
    for (std::size_t i = 0; i < positions.size(); ++i) {
        if (positions[i] >= arguments.size()) {
            return fail(ErrorCode::invalid, "input '" + inputs[i] + "' would be argument " +
                                                std::to_string(positions[i]) + " (forward takes " +
                                                std::to_string(arguments.size()) +
                                                ", counted from 0): correct config.pbtxt");
        }
        const auto end = positions.begin() + static_cast<std::ptrdiff_t>(i);
        const auto same = std::find(positions.begin(), end, positions[i]);
        if (same == end) continue;
        return fail(ErrorCode::invalid,
                    "inputs '" + inputs[static_cast<std::size_t>(same - positions.begin())] +
                        "' and '" + inputs[i] + "' are both argument " +
                        std::to_string(positions[i]) + " (each has its own): rename one");
    }
    return positions;
}

std::vector<std::size_t> result_positions(std::span<const std::string> outputs) {
    return positions_by_number_or_order(outputs);
}

}  // namespace farm
