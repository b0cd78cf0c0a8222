#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "schemas/tensor.h"

namespace farm {

/// One three-dimensional measurement, in the units that the edge classifier was trained in:
/// r / 3000 mm, phi / pi, z / 400 mm. An array of these is a float32 [n, 3] tensor.
struct SpacePoint {
    float r{0};
    float phi{0};
    float z{0};

    friend bool operator==(const SpacePoint&, const SpacePoint&) = default;
};
static_assert(sizeof(SpacePoint) == 3 * sizeof(float));

/// What the columns of a file are multiplied by to get the units above.
struct SpacePointUnits {
    std::array<double, 3> factor{1, 1, 1};
};
namespace space_point_units {
inline constexpr SpacePointUnits classifier{};                   ///< r/3000, phi/pi, z/400
inline constexpr SpacePointUnits metres{{1.0 / 3.0, 1.0, 2.5}};  ///< r/1000, phi/pi, z/1000
}  // namespace space_point_units

inline constexpr std::size_t space_point_limit_count = 1'000'000;
inline constexpr std::uintmax_t space_point_file_limit_bytes = 256ULL << 20;

/// Reads lines "r,phi,z" (further columns are ignored, empty lines skipped). Errors (invalid,
/// too_large) name file, line, column and value; `file` is only a name for them.
Result<std::vector<SpacePoint>> parse_space_points(std::string_view text, std::string_view file,
                                                   SpacePointUnits units);

/// The same from a file. Further errors: not_found, io.
Result<std::vector<SpacePoint>> read_space_points(const std::filesystem::path& file,
                                                  SpacePointUnits units);

/// Tensor `name`, float32 [n, 3], with its own copy of the points.
Tensor to_tensor(std::string_view name, const std::vector<SpacePoint>& points);

}  // namespace farm
