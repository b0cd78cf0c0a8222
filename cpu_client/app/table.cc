#include "cpu_client/app/table.h"

#include <algorithm>
#include <numeric>

namespace farm {

namespace {

constexpr std::size_t gap_columns = 2;
constexpr std::size_t narrowest_text = 4;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The first `width` characters, the last of them "~" when there are more.
std::string cut(const std::string& text, std::size_t width) {
    if (display_width(text) <= width) return text;
    std::size_t end = 0;
    for (std::size_t shown = 0; end < text.size(); ++end) {
        if (!is_continuation(text[end]) && ++shown == width) break;
    }
    return text.substr(0, end) + '~';
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(),
        [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return out;
}

std::size_t display_width(std::string_view text) {
    return text.size() -
           static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

void Table::add(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    for (std::string& cell : cells) cell = printable(cell);
    rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::fitted_widths(std::size_t width) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t widest = display_width(columns_[i].title);
        for (const auto& row : rows_) widest = std::max(widest, display_width(row[i]));
        widths.push_back(widest);
    }
    std::size_t total = std::accumulate(widths.begin(), widths.end(), std::size_t{0}) +
                        gap_columns * (columns_.empty() ? 0 : columns_.size() - 1);
    while (total > width) {
        std::size_t widest = columns_.size();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (columns_[i].kind != Kind::text || widths[i] <= narrowest_text) continue;
            if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
        }
        if (widest == columns_.size()) break;
        --widths[widest];
        --total;
    }
    return widths;
}

std::string Table::line(const std::vector<std::string>& cells,
                        const std::vector<std::size_t>& widths) const {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string cell =
            columns_[i].kind == Kind::text ? cut(cells[i], widths[i]) : cells[i];
        const std::string padding(widths[i] - std::min(widths[i], display_width(cell)), ' ');
        if (i != 0) text.append(gap_columns, ' ');
        text += columns_[i].kind == Kind::number ? padding + cell : cell + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + '\n';
}

std::string Table::text(std::size_t width) const {
    const auto widths = fitted_widths(width);
    std::vector<std::string> titles;
    for (const Column& column : columns_) titles.push_back(column.title);
    std::string text = line(titles, widths);
    for (const auto& row : rows_) text += line(row, widths);
    return text;
}

}  // namespace farm
