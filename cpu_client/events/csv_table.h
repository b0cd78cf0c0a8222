#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/error.h"

namespace farm {

/// One column of a CSV file that holds rows of type Row: reader and writer share the list.
template <class Row>
struct CsvColumn {
    std::string_view name;
    std::variant<float Row::*, double Row::*, std::int32_t Row::*, std::uint64_t Row::*> field;
};

/// Walks over the cells of a CSV text and knows where it is, for errors as "FILE:LINE:COLUMN: ...",
/// COLUMN counting characters from 1. No quoting: numbers and names only.
class CsvCursor {
  public:
    CsvCursor(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    std::size_t line() const { return line_; }
    bool at_end() const { return position_ == text_.size(); }
    bool at_line_end() const;
    void skip_empty_lines();

    std::string_view take_cell();
    Result<void> take_separator(std::size_t cell, std::size_t cell_count);

    template <class Number>
    Result<void> take_number(Number& value, std::string_view column);

    tl::unexpected<Error> error(ErrorCode code, std::string_view text) const;

  private:
    std::string_view text_;
    std::string_view file_;
    std::size_t position_{0};
    std::size_t line_{1};
    std::size_t line_begin_{0};
};

/// For each column of the file, the index of the wanted column or none: wanted.size(). A wanted
/// column that is missing or there twice is an error (invalid).
Result<std::vector<std::size_t>> read_csv_header(CsvCursor& cursor,
                                                 std::span<const std::string_view> wanted);

/// Rows of `columns`, which may stand in any order among others; a Row with a member `line` gets
/// its own. Numbers are finite and fit their type. Errors: invalid; too_large beyond
/// `row_limit_count` rows; `file` is only a name for them.
template <class Row, std::size_t column_count>
Result<std::vector<Row>> parse_csv(std::string_view text, std::string_view file,
                                   const std::array<CsvColumn<Row>, column_count>& columns,
                                   std::size_t row_limit_count) {
    std::array<std::string_view, column_count> names;
    for (std::size_t i = 0; i < column_count; ++i) names[i] = columns[i].name;
    CsvCursor cursor(text, file);
    const auto header = read_csv_header(cursor, names);
    if (!header) return tl::unexpected(header.error());
    std::vector<Row> rows;
    for (cursor.skip_empty_lines(); !cursor.at_end(); cursor.skip_empty_lines()) {
        if (rows.size() == row_limit_count) {
            return cursor.error(ErrorCode::too_large,
                                "more than " + std::to_string(row_limit_count) +
                                    " rows (the limit of one file): split the file");
        }
        Row& row = rows.emplace_back();
        if constexpr (requires { row.line; }) row.line = cursor.line();
        for (std::size_t cell = 0; cell < header->size(); ++cell) {
            if (const std::size_t wanted = (*header)[cell]; wanted == column_count) {
                cursor.take_cell();
            } else {
                const CsvColumn<Row>& column = columns[wanted];
                const auto done = std::visit(
                    [&](auto field) { return cursor.take_number(row.*field, column.name); },
                    column.field);
                if (!done) return tl::unexpected(done.error());
            }
            const auto done = cursor.take_separator(cell, header->size());
            if (!done) return tl::unexpected(done.error());
        }
    }
    return rows;
}

/// The shortest text that reads back as the same number.
void append_number(std::string& text, float value);
void append_number(std::string& text, double value);
void append_number(std::string& text, std::int32_t value);
void append_number(std::string& text, std::uint64_t value);

template <class Row, std::size_t column_count>
std::string format_csv(const std::vector<Row>& rows,
                       const std::array<CsvColumn<Row>, column_count>& columns) {
    std::string text;
    text.reserve(rows.size() * column_count * 10);
    for (const CsvColumn<Row>& column : columns) text.append(column.name).push_back(',');
    text.back() = '\n';
    for (const Row& row : rows) {
        for (const CsvColumn<Row>& column : columns) {
            std::visit([&](auto field) { append_number(text, row.*field); }, column.field);
            text.push_back(',');
        }
        text.back() = '\n';
    }
    return text;
}

}  // namespace farm
