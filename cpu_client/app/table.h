#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace farm {

inline constexpr std::size_t terminal_columns = 80;

/// Text from outside with control bytes replaced by '?', so that it cannot steer a terminal.
std::string printable(std::string_view text);

/// Characters that a terminal shows for UTF-8 text (one a code point).
std::size_t display_width(std::string_view text);

/// Rows of text in aligned columns, two blanks apart.
///
/// When the rows are wider than asked, the columns that may be cut lose characters, the widest
/// first; a cut cell ends in "~". Columns that may not be cut (numbers) never do, so a table may
/// stay too wide.
class Table {
  public:
    enum class Kind : std::uint8_t {
        text,    ///< left, may be cut
        name,    ///< left, never cut
        number,  ///< right, never cut
    };
    struct Column {
        std::string title;
        Kind kind{Kind::text};
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// Missing cells are empty, surplus ones are dropped.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    /// Title line and rows, each with its line end and no blanks before it.
    std::string text(std::size_t width = terminal_columns) const;

  private:
    std::vector<std::size_t> fitted_widths(std::size_t width) const;
    std::string line(const std::vector<std::string>& cells,
                     const std::vector<std::size_t>& widths) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace farm
