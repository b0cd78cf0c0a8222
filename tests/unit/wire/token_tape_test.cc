#include "common/wire/token_tape.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include <msgpack.hpp>

#include "schemas/limits.h"

namespace farm {
namespace {

/// What msgpack's own parser makes of the same bytes, as text.
struct Oracle : msgpack::null_visitor {
    std::string text;
    bool is_foreign{false};  ///< has what this protocol does not take

    bool put(const std::string& what) {
        text += what + " ";
        return true;
    }
    bool visit_nil() { return put("nil"); }
    bool visit_boolean(bool value) { return put(value ? "true" : "false"); }
    bool visit_positive_integer(std::uint64_t value) { return put(std::to_string(value)); }
    bool visit_negative_integer(std::int64_t value) { return put(std::to_string(value)); }
    bool visit_float32(float) { return put("real"); }
    bool visit_float64(double) { return put("real"); }
    bool visit_str(const char* data, std::uint32_t size) {
        is_foreign = is_foreign || size > limits::string_bytes;
        return put("s:" + std::string(data, size));
    }
    bool visit_bin(const char* data, std::uint32_t size) {
        is_foreign = is_foreign || size > limits::string_bytes;
        return put("b:" + std::string(data, size));
    }
    bool visit_ext(const char*, std::uint32_t) {
        is_foreign = true;
        return true;
    }
    bool start_array(std::uint32_t count) { return put("[" + std::to_string(count)); }
    bool end_array() { return put("]"); }
    bool start_map(std::uint32_t count) { return put("{" + std::to_string(count)); }
    bool end_map() { return put("}"); }
};

std::string text_of(const TokenTape& tape, std::uint32_t index) {
    const Token& token = tape[index];
    std::string text;
    switch (token.kind) {
        case Token::Kind::nil: return "nil ";
        case Token::Kind::boolean: return token.number != 0 ? "true " : "false ";
        case Token::Kind::uint: return std::to_string(token.number) + " ";
        case Token::Kind::negative: return std::to_string(token.negative) + " ";
        case Token::Kind::real: return "real ";
        case Token::Kind::string: return "s:" + std::string(token.text()) + " ";
        case Token::Kind::binary: return "b:" + std::string(token.text()) + " ";
        case Token::Kind::array: text = "[" + std::to_string(token.count) + " "; break;
        case Token::Kind::map: text = "{" + std::to_string(token.count) + " "; break;
    }
    std::uint32_t child = index + 1;
    for (; child < token.end; child = tape.next(child)) text += text_of(tape, child);
    EXPECT_EQ(child, token.end);
    return text + (token.kind == Token::Kind::array ? "] " : "} ");
}

/// Bytes that are often msgpack: every head in turn, small claims, random content.
std::string random_document(std::mt19937_64& engine, int depth) {
    const auto below = [&](std::uint64_t end) { return engine() % end; };
    std::string out;
    const auto claim = [&](char head, std::size_t size_bytes, std::size_t size) {
        out += head;
        for (std::size_t i = size_bytes; i-- > 0;) out += static_cast<char>(size >> (8 * i));
    };
    const auto noise = [&](std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(engine());
    };
    const std::size_t size = below(5);
    switch (below(depth > 0 ? 9 : 6)) {
        case 0: out += static_cast<char>(below(0x80)); break;
        case 1: out += static_cast<char>(0xe0 + below(0x20)); break;
        case 2: out += "\xc0\xc2\xc3"[below(3)]; break;
        case 3: {
            const auto kind = below(10);  // uint8..64, int8..64, float32, float64
            out += "\xcc\xcd\xce\xcf\xd0\xd1\xd2\xd3\xca\xcb"[kind];
            noise(kind == 8 ? 4 : kind == 9 ? 8 : std::size_t{1} << (kind % 4));
            break;
        }
        case 4: {
            const auto form = below(4);
            if (form == 0) {
                out += static_cast<char>(0xa0 | size);
            } else {
                claim(
                    "\xd9\xda\xdb" [form - 1], std::size_t { 1 } << (form - 1), size);
            }
            noise(size);
            break;
        }
        case 5: {
            const auto form = below(3);
            claim(
                "\xc4\xc5\xc6" [form], std::size_t { 1 } << form, size);
            noise(size);
            break;
        }
        default: {
            const bool is_map = below(2) == 0;
            const auto form = below(3);
            if (form == 0) {
                out += static_cast<char>((is_map ? 0x80 : 0x90) | size);
            } else {
                claim((is_map ? "\xde\xdf" : "\xdc\xdd")[form - 1], std::size_t{2} << (form - 1),
                      size);
            }
            for (std::size_t i = 0; i < (is_map ? 2 * size : size); ++i) {
                out += random_document(engine, depth - 1);
            }
        }
    }
    return out;
}

void expect_agreement(const std::string& bytes) {
    TokenTape tape;
    const auto parsed = tape.parse(std::as_bytes(std::span(bytes)), "test");
    Oracle oracle;
    std::size_t offset = 0;
    bool is_whole = false;
    try {
        is_whole = msgpack::parse(bytes.data(), bytes.size(), offset, oracle);
    } catch (const msgpack::unpack_error&) {
        is_whole = false;
    }
    const bool expected = is_whole && offset == bytes.size() && !oracle.is_foreign;
    ASSERT_EQ(parsed.has_value(), expected) << (parsed ? oracle.text : parsed.error().message);
    if (parsed) {
        EXPECT_EQ(text_of(tape, 0), oracle.text);
    }
}

TEST(TokenTapeTest, AgreesWithMsgpackOnWholeDocuments) {
    std::mt19937_64 engine(1);
    for (int i = 0; i < 20'000; ++i) expect_agreement(random_document(engine, 4));
}

TEST(TokenTapeTest, AgreesWithMsgpackOnBrokenDocuments) {
    std::mt19937_64 engine(2);
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = random_document(engine, 3);
        if (engine() % 2 == 0) bytes.resize(engine() % bytes.size());
        if (!bytes.empty()) bytes[engine() % bytes.size()] = static_cast<char>(engine());
        expect_agreement(bytes);
    }
}

}  // namespace
}  // namespace farm
