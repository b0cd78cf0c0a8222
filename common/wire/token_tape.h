#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"

namespace farm {

/// One msgpack value. Children of a container follow it; `end` is the index behind the last one.
/// Strings and binaries point into the frame.
struct Token {
    enum class Kind : std::uint8_t {
        nil,
        boolean,
        uint,
        negative,
        real,
        string,
        binary,
        array,
        map
    };

    Kind kind{Kind::nil};
    std::uint32_t count{0};  ///< bytes of a string or binary; entries of an array or map
    std::uint32_t end{0};
    union {
        std::uint64_t number{0};  ///< uint, boolean
        std::int64_t negative;
        const char* data;
    };

    std::string_view text() const { return {count == 0 ? "" : data, count}; }
};

/// "an array", "a string", ... for error texts.
std::string_view to_string(Token::Kind kind);

/// A msgpack document as a flat list, made in one pass.
///
/// Refuses (protocol) what passes the msgpack limits of schemas/limits.h, before memory is taken
/// for it: claimed sizes of containers count against the budget of elements when they are claimed.
/// Extension types are refused as well. Reused for document after document;
/// holds at most limits::msgpack_element_count tokens.
class TokenTape {
  public:
    /// `what` names the document in errors ("header", "body"). Tokens point into `bytes`.
    /// Returns where the document ends; parse() refuses bytes behind that.
    Result<std::size_t> parse_first(Bytes bytes, std::string_view what);
    Result<void> parse(Bytes bytes, std::string_view what);

    const Token& operator[](std::uint32_t index) const { return tokens_[index]; }
    std::uint32_t size() const { return size_; }
    /// Index of the sibling behind this token.
    std::uint32_t next(std::uint32_t index) const { return tokens_[index].end; }

  private:
    friend class TapeReader;

    std::vector<Token> tokens_;  ///< of the longest document so far
    std::uint32_t size_{0};
};

}  // namespace farm
