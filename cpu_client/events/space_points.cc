#include "cpu_client/events/space_points.h"

#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <system_error>

#include "cpu_client/events/file_text.h"

namespace farm {

namespace {

constexpr std::array<std::string_view, 3> columns{"r", "phi", "z"};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r";
    const auto begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

/// Takes what stands before `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return taken;
}

struct Place {
    std::string_view file;
    std::size_t line{0};

    std::string text() const {
        return "file '" + std::string(file) + "', line " + std::to_string(line);
    }
};

Result<double> parse_column(std::string_view field, std::size_t column, const Place& place) {
    const std::string name = place.text() + ", column '" + std::string(columns[column]) + "': ";
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc{} || end != field.data() + field.size() || field.empty()) {
        return fail(ErrorCode::invalid, name + "'" + std::string(field.substr(0, 40)) +
                                            "' is not a number (each line holds r,phi,z): correct "
                                            "or remove the line");
    }
    if (!std::isfinite(value) || std::abs(value) > 1e30) {
        return fail(ErrorCode::invalid, name + std::string(field.substr(0, 40)) +
                                            " is not a coordinate (finite, 1e30 at most): correct "
                                            "or remove the line");
    }
    return value;
}

Result<SpacePoint> parse_line(std::string_view line, const Place& place, SpacePointUnits units) {
    std::array<float, 3> values{};
    for (std::size_t column = 0; column < columns.size(); ++column) {
        if (line.empty()) {
            return fail(ErrorCode::invalid, place.text() + " has " + std::to_string(column) +
                                                " columns (3 are needed: r,phi,z): complete or "
                                                "remove the line");
        }
        const auto value = parse_column(trimmed(take_until(line, ',')), column, place);
        if (!value) return tl::unexpected(value.error());
        values[column] = static_cast<float>(*value * units.factor[column]);
    }
    return SpacePoint{values[0], values[1], values[2]};
}

}  // namespace

Result<std::vector<SpacePoint>> parse_space_points(std::string_view text, std::string_view file,
                                                   SpacePointUnits units) {
    std::vector<SpacePoint> points;
    Place place{file, 0};
    while (!text.empty()) {
        const auto line = trimmed(take_until(text, '\n'));
        ++place.line;
        if (line.empty()) continue;
        if (points.size() == space_point_limit_count) {
            return fail(ErrorCode::too_large, place.text() + " is beyond the limit of " +
                                                  std::to_string(space_point_limit_count) +
                                                  " space points of one event: split the file");
        }
        const auto point = parse_line(line, place, units);
        if (!point) return tl::unexpected(point.error());
        points.push_back(*point);
    }
    return points;
}

Result<std::vector<SpacePoint>> read_space_points(const std::filesystem::path& file,
                                                  SpacePointUnits units) {
    const auto text = read_file_text(file, space_point_file_limit_bytes,
                                     "give one CSV file of space points for "
                                     "each event");
    if (!text) return tl::unexpected(text.error());
    return parse_space_points(*text, file.string(), units);
}

Tensor to_tensor(std::string_view name, const std::vector<SpacePoint>& points) {
    return {{std::string(name), dtype::f32, {static_cast<std::int64_t>(points.size()), 3}},
            Buffer::copy_of(std::as_bytes(std::span(points)))};
}

}  // namespace farm
