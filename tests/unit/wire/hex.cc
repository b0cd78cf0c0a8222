#include "tests/unit/wire/hex.h"

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace farm::test {

namespace {

const std::filesystem::path folder = "tests/unit/wire/golden";

std::string without_comments(std::string_view text) {
    std::string digits;
    bool is_comment = false;
    for (const char c : text) {
        if (c == '#') is_comment = true;
        if (c == '\n') is_comment = false;
        if (!is_comment && std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
    }
    return digits;
}

}  // namespace

std::string from_hex(std::string_view text) {
    const std::string digits = without_comments(text);
    if (digits.size() % 2 != 0) throw std::runtime_error("odd number of hex digits");
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

std::string to_hex(Bytes bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text += digits[std::to_integer<unsigned>(bytes[i]) >> 4];
        text += digits[std::to_integer<unsigned>(bytes[i]) & 15];
        text += i % 16 == 15 || i + 1 == bytes.size() ? '\n' : ' ';
    }
    return text;
}

std::string golden(const std::string& name, Bytes actual) {
    const std::filesystem::path path = folder / (name + ".hex");
    const bool update = !actual.empty() && std::getenv("FARM_UPDATE_GOLDEN") != nullptr;
    if (update) std::ofstream(path) << to_hex(actual);
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return from_hex(std::string{std::istreambuf_iterator<char>(file), {}});
}

}  // namespace farm::test
