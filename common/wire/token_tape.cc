#include "common/wire/token_tape.h"

#include <exception>
#include <string>

#include <msgpack.hpp>

#include "schemas/limits.h"

namespace farm {

namespace {

std::string limit_text(std::string_view what, std::uint64_t value, std::size_t limit) {
    return std::string(what) + " of " + std::to_string(value) + " (the limit is " +
           std::to_string(limit) + ")";
}

}  // namespace

/// Called by msgpack for each value; `false` stops the parse.
struct TapeVisitor {
    TokenTape& tape;
    std::size_t budget{limits::msgpack_element_count};
    std::string problem{};

    bool refuse(std::string text) {
        problem = std::move(text);
        return false;
    }

    bool add(Token token) {
        token.end = tape.size() + 1;
        tape.tokens_.push_back(token);
        return true;
    }

    bool add_number(Token::Kind kind, std::uint64_t number) {
        Token token;
        token.kind = kind;
        token.number = number;
        return add(token);
    }

    bool add_text(Token::Kind kind, const char* data, std::uint32_t size, std::string_view what) {
        if (size > limits::string_bytes) {
            return refuse(limit_text(what, size, limits::string_bytes));
        }
        Token token;
        token.kind = kind;
        token.count = size;
        token.data = data;
        return add(token);
    }

    /// `nodes`: what the container claims to hold, paid for now.
    bool open(Token::Kind kind, std::uint32_t count, std::uint64_t nodes) {
        if (count > limits::msgpack_container_count) {
            return refuse(limit_text(kind == Token::Kind::map ? "a map" : "an array", count,
                                     limits::msgpack_container_count));
        }
        if (nodes > budget) {
            return refuse("more elements than the limit of " +
                          std::to_string(limits::msgpack_element_count));
        }
        if (tape.open_.size() == limits::msgpack_depth) {
            return refuse("more nesting than the limit of " +
                          std::to_string(limits::msgpack_depth));
        }
        budget -= nodes;
        tape.open_.push_back(tape.size());
        Token token;
        token.kind = kind;
        token.count = count;
        return add(token);
    }

    bool close() {
        tape.tokens_[tape.open_.back()].end = tape.size();
        tape.open_.pop_back();
        return true;
    }

    bool visit_nil() { return add(Token{}); }
    bool visit_boolean(bool value) { return add_number(Token::Kind::boolean, value ? 1 : 0); }
    bool visit_positive_integer(std::uint64_t value) {
        return add_number(Token::Kind::uint, value);
    }
    bool visit_negative_integer(std::int64_t value) {
        // msgpack's signed forms may hold a positive number.
        if (value >= 0) return visit_positive_integer(static_cast<std::uint64_t>(value));
        Token token;
        token.kind = Token::Kind::negative;
        token.negative = value;
        return add(token);
    }
    bool visit_float32(float) { return add_number(Token::Kind::real, 0); }
    bool visit_float64(double) { return add_number(Token::Kind::real, 0); }
    bool visit_str(const char* data, std::uint32_t size) {
        return add_text(Token::Kind::string, data, size, "a string");
    }
    bool visit_bin(const char* data, std::uint32_t size) {
        return add_text(Token::Kind::binary, data, size, "a binary");
    }
    bool visit_ext(const char*, std::uint32_t) {
        return refuse("an extension type (this protocol has none)");
    }
    bool start_array(std::uint32_t count) { return open(Token::Kind::array, count, count); }
    bool start_array_item() { return true; }
    bool end_array_item() { return true; }
    bool end_array() { return close(); }
    bool start_map(std::uint32_t count) {
        return open(Token::Kind::map, count, 2 * std::uint64_t{count});
    }
    bool start_map_key() { return true; }
    bool end_map_key() { return true; }
    bool start_map_value() { return true; }
    bool end_map_value() { return true; }
    bool end_map() { return close(); }
    void parse_error(std::size_t, std::size_t offset) {
        problem = "a byte that starts no msgpack value, at offset " + std::to_string(offset);
    }
    void insufficient_bytes(std::size_t, std::size_t offset) {
        problem = "an end inside a value, at offset " + std::to_string(offset);
    }
};

std::string_view to_string(Token::Kind kind) {
    switch (kind) {
        case Token::Kind::nil: return "nil";
        case Token::Kind::boolean: return "a boolean";
        case Token::Kind::uint: return "a number";
        case Token::Kind::negative: return "a negative number";
        case Token::Kind::real: return "a floating number";
        case Token::Kind::string: return "a string";
        case Token::Kind::binary: return "a binary";
        case Token::Kind::array: return "an array";
        case Token::Kind::map: return "a map";
    }
    return "a value";
}

Result<void> TokenTape::parse(Bytes bytes, std::string_view what) {
    tokens_.clear();
    open_.clear();
    TapeVisitor visitor{*this};
    const auto refuse = [&](std::string_view problem) {
        return fail(ErrorCode::protocol, std::string(what) + " has " + std::string(problem) +
                                             ": send what wire.md says");
    };
    std::size_t offset = 0;
    bool is_whole = false;
    try {
        is_whole = msgpack::parse(reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset,
                                  visitor);
    } catch (const std::exception& error) {
        return refuse(std::string("bytes that msgpack cannot read (") + error.what() + ")");
    }
    if (!visitor.problem.empty()) return refuse(visitor.problem);
    if (!is_whole) return refuse("no msgpack value");
    if (offset != bytes.size()) {
        return refuse(std::to_string(bytes.size() - offset) + " bytes behind its end");
    }
    return {};
}

}  // namespace farm
