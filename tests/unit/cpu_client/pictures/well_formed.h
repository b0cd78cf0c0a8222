#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace farm::testing {

/// Why the text is no well-formed XML document of elements, attributes in double quotes and text;
/// empty when it is. A small reader on purpose: comments, declarations and the like are refused.
inline std::string xml_fault(std::string_view text) {
    constexpr std::string_view entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    std::vector<std::string> open;
    bool seen_root = false;
    const auto is_text = [&](std::string_view part) {
        for (std::size_t i = 0; i < part.size(); ++i) {
            const auto byte = static_cast<unsigned char>(part[i]);
            if (byte < 0x20 && part[i] != '\n') return false;
            if (part[i] != '&') continue;
            bool known = false;
            for (const auto entity : entities) known = known || part.substr(i).starts_with(entity);
            if (!known) return false;
        }
        return true;
    };
    while (!text.empty()) {
        const auto begin = text.find('<');
        const std::string_view between = text.substr(0, begin);
        if (!is_text(between)) return "text '" + std::string(between) + "'";
        if (open.empty() && between.find_first_not_of('\n') != std::string_view::npos) {
            return "text outside of the root";
        }
        if (begin == std::string_view::npos) break;
        const auto end = text.find('>', begin);
        if (end == std::string_view::npos) return "a tag that does not end";
        std::string_view tag = text.substr(begin + 1, end - begin - 1);
        text.remove_prefix(end + 1);
        if (tag.starts_with('/')) {
            if (open.empty() || open.back() != tag.substr(1)) {
                return "'</" + std::string(tag.substr(1)) + ">' does not fit";
            }
            open.pop_back();
            continue;
        }
        if (open.empty() && seen_root) return "a second root";
        seen_root = true;
        const bool is_closed = tag.ends_with('/');
        if (is_closed) tag.remove_suffix(1);
        const std::string name(tag.substr(0, tag.find(' ')));
        if (name.empty()) return "a tag without a name";
        for (tag.remove_prefix(name.size()); !tag.empty();) {
            const auto value = tag.find("=\"");
            const auto close = value == std::string_view::npos ? value : tag.find('"', value + 2);
            if (tag.front() != ' ' || close == std::string_view::npos) {
                return "attribute '" + std::string(tag) + "'";
            }
            if (!is_text(tag.substr(value + 2, close - value - 2)) ||
                tag.substr(0, close).find('<') != std::string_view::npos) {
                return "value of attribute '" + std::string(tag.substr(0, close)) + "'";
            }
            tag.remove_prefix(close + 1);
        }
        if (!is_closed) open.push_back(name);
    }
    if (!open.empty()) return "'" + open.back() + "' is not closed";
    return seen_root ? "" : "no element";
}

}  // namespace farm::testing
