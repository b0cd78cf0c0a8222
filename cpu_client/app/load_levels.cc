#include "cpu_client/app/load_levels.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace farm {

namespace {

std::optional<std::vector<double>> parse_numbers(std::string_view text) {
    std::vector<double> numbers;
    while (true) {
        const auto colon = text.find(':');
        const std::string_view part = text.substr(0, colon);
        double value = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (error != std::errc{} || end != part.data() + part.size() || !std::isfinite(value)) {
            return std::nullopt;
        }
        numbers.push_back(value);
        if (colon == std::string_view::npos) return numbers;
        text.remove_prefix(colon + 1);
    }
}

}  // namespace

Result<std::vector<double>> parse_load_levels(std::string_view flag, std::string_view text,
                                              double highest) {
    const auto bad = [&](std::string_view why) {
        return fail(ErrorCode::invalid,
                    fmt::format("{} '{}' {}: give N, FIRST:LAST (doubling) or FIRST:LAST:STEP",
                                flag, text, why));
    };
    const auto numbers = parse_numbers(text);
    if (!numbers || numbers->size() > 3) return bad("is not a range");
    const double first = numbers->front();
    const double last = numbers->size() > 1 ? (*numbers)[1] : first;
    const bool doubling = numbers->size() < 3;
    const double step = doubling ? 0 : (*numbers)[2];
    if (first <= 0 || last < first) return bad("does not ascend from above 0");
    if (last > highest) return bad(fmt::format("passes the limit of {:g}", highest));
    if (!doubling && step <= 0) return bad("has no step above 0");

    std::vector<double> levels;
    for (double level = first; level < last; level = doubling ? level * 2 : level + step) {
        if (levels.size() + 1 == load_level_limit_count) {
            return bad(fmt::format("has more than {} levels (the limit)", load_level_limit_count));
        }
        levels.push_back(level);
    }
    levels.push_back(last);
    return levels;
}

}  // namespace farm
