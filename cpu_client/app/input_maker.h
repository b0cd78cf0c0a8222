#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/lib/input.h"
#include "schemas/service.h"

namespace farm {

/// Lowest and highest value of an integer input, both included.
struct IntRange {
    std::int64_t lowest{0};
    std::int64_t highest{9};
};

struct InputChoices {
    enum class Fill : std::uint8_t { random, zero } fill{Fill::random};
    std::map<std::string, std::string> files;  ///< input name -> .npy; these are read, not made
    std::map<std::string, Shape> shapes;       ///< whole shapes of inputs with -1 in them
    std::map<std::string, IntRange> int_ranges;
    std::int64_t rows{0};  ///< for -1 in dimension 0; 0: 1 for models that batch, else 100
    std::uint64_t seed{1};
};

inline constexpr std::int64_t default_open_length = 100;  ///< for -1 in any other dimension
inline constexpr std::int64_t edges_per_row = 4;

/// The inputs of one call that fit the signature, for benches and first tries. Random: floats in
/// [0, 1), bools, integers of their range. An int64 input [2, -1] called *edge_index* is made of
/// indices below the rows of the first other input that has two dimensions, the larger one first.
/// Deterministic from the seed. Errors (invalid, not_found, too_large) name input, value and limit:
/// a file or shape that does not fit, an option for an input that the model does not have.
Result<Inputs> make_inputs(const ServiceAd& service, const InputChoices& choices);

/// The choices for each event of a folder: its folders (in the order of their names) hold
/// <input name>.npy, which are read; what is not there is made as `choices` say. Error (not_found,
/// invalid): no such folder, or none in it.
Result<std::vector<InputChoices>> choose_events(const ServiceAd& service,
                                                const InputChoices& choices,
                                                const std::filesystem::path& folder);

/// Splits "NAME=REST", for options like --input and --shape. Error names the flag.
Result<std::map<std::string, std::string>> parse_named(std::string_view flag,
                                                       const std::vector<std::string>& texts);
/// "name=3,4" and "name=-5:5".
Result<std::map<std::string, Shape>> parse_shapes(const std::vector<std::string>& texts);
Result<std::map<std::string, IntRange>> parse_int_ranges(const std::vector<std::string>& texts);

}  // namespace farm
