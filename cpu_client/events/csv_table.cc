#include "cpu_client/events/csv_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <type_traits>

namespace farm {

namespace {

constexpr std::size_t shown_cell_bytes = 40;
constexpr std::size_t header_limit_count = 256;

std::string quoted(std::string_view text) {
    return "'" + std::string(text.substr(0, shown_cell_bytes)) + "'";
}

template <class Number>
bool parses(std::string_view cell, Number& value) {
    const char* const end = cell.data() + cell.size();
    if constexpr (std::is_floating_point_v<Number>) {
        double wide = 0;  // what is too small for a float becomes zero
        const auto [stop, error] = std::from_chars(cell.data(), end, wide);
        value = static_cast<Number>(wide);
        return error == std::errc{} && stop == end && std::isfinite(value);
    } else {
        const auto [stop, error] = std::from_chars(cell.data(), end, value);
        return error == std::errc{} && stop == end;
    }
}

template <class Number>
constexpr std::string_view kind_of_number() {
    if (std::is_floating_point_v<Number>) return "a finite number";
    return std::is_signed_v<Number> ? "an integer of 32 bits" : "a positive integer of 64 bits";
}

template <class Number>
void append(std::string& text, Number value) {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

}  // namespace

bool CsvCursor::at_line_end() const {
    return at_end() || text_[position_] == '\n' || text_[position_] == '\r';
}

void CsvCursor::skip_empty_lines() {
    for (; !at_end() && at_line_end(); ++position_) {
        if (text_[position_] != '\n') continue;
        ++line_;
        line_begin_ = position_ + 1;
    }
}

std::string_view CsvCursor::take_cell() {
    const std::size_t begin = position_;
    while (!at_line_end() && text_[position_] != ',') ++position_;
    return text_.substr(begin, position_ - begin);
}

Result<void> CsvCursor::take_separator(std::size_t cell, std::size_t cell_count) {
    const bool is_last = cell + 1 == cell_count;
    if (at_line_end() == is_last) {
        if (!is_last) ++position_;
        return {};
    }
    return error(ErrorCode::invalid,
                 "the line has " + (is_last ? "more than " : std::to_string(cell + 1) + " of ") +
                     std::to_string(cell_count) +
                     " values (one for each column of the header): correct or remove the line");
}

template <class Number>
Result<void> CsvCursor::take_number(Number& value, std::string_view column) {
    const CsvCursor begin = *this;
    const std::string_view cell = take_cell();
    if (parses(cell, value)) return {};
    return begin.error(ErrorCode::invalid, "column '" + std::string(column) + "': " + quoted(cell) +
                                               " is not " + std::string(kind_of_number<Number>()) +
                                               ": correct or remove the line");
}
template Result<void> CsvCursor::take_number(float&, std::string_view);
template Result<void> CsvCursor::take_number(double&, std::string_view);
template Result<void> CsvCursor::take_number(std::int32_t&, std::string_view);
template Result<void> CsvCursor::take_number(std::uint64_t&, std::string_view);

tl::unexpected<Error> CsvCursor::error(ErrorCode code, std::string_view text) const {
    return fail(code, std::string(file_) + ":" + std::to_string(line_) + ":" +
                          std::to_string(position_ - line_begin_ + 1) + ": " + std::string(text));
}

Result<std::vector<std::size_t>> read_csv_header(CsvCursor& cursor,
                                                 std::span<const std::string_view> wanted) {
    std::vector<std::size_t> columns;
    std::vector<bool> found(wanted.size());
    for (bool more = true; more;) {
        const std::string_view name = cursor.take_cell();
        const auto place = std::find(wanted.begin(), wanted.end(), name);
        const auto index = static_cast<std::size_t>(place - wanted.begin());
        columns.push_back(index);
        if (columns.size() > header_limit_count) {
            return cursor.error(ErrorCode::too_large, "more than " +
                                                          std::to_string(header_limit_count) +
                                                          " columns: remove those not needed");
        }
        if (index < wanted.size() && found[index]) {
            return cursor.error(ErrorCode::invalid,
                                "column " + quoted(name) + " is there twice: remove one of them");
        }
        if (index < wanted.size()) found[index] = true;
        more = !cursor.at_line_end();
        if (more) (void)cursor.take_separator(0, 2);
    }
    const auto missing = std::find(found.begin(), found.end(), false);
    if (missing == found.end()) return columns;
    std::string all;
    for (const std::string_view name : wanted) all += (all.empty() ? "" : ",") + std::string(name);
    return cursor.error(ErrorCode::invalid,
                        "column " +
                            quoted(wanted[static_cast<std::size_t>(missing - found.begin())]) +
                            " is missing in the header (needed are " + all + "): add it");
}

void append_number(std::string& text, float value) { append(text, value); }
void append_number(std::string& text, double value) { append(text, value); }
void append_number(std::string& text, std::int32_t value) { append(text, value); }
void append_number(std::string& text, std::uint64_t value) { append(text, value); }

}  // namespace farm
