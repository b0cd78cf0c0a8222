#include "common/wire/token_tape.h"

#include <array>
#include <string>

#include "schemas/limits.h"

namespace farm {

namespace {

[[gnu::cold]] tl::unexpected<Error> refuse(std::string_view what, std::string_view problem) {
    return fail(ErrorCode::protocol,
                std::string(what) + " has " + std::string(problem) + ": send what wire.md says");
}

std::string limit_text(std::string_view what, std::uint64_t value, std::size_t limit) {
    return std::string(what) + " of " + std::to_string(value) + " (the limit is " +
           std::to_string(limit) + ")";
}

}  // namespace

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

/// Reads one value after the other from a msgpack document (msgpack spec.md, "Formats").
class TapeReader {
  public:
    TapeReader(TokenTape& tape, Bytes bytes)
        : tape_(tape),
          begin_(reinterpret_cast<const std::uint8_t*>(bytes.data())),
          next_(begin_),
          end_(begin_ + bytes.size()) {}

    /// The document's one value, with all that lies in it. False when problem() says why not.
    bool read() {
        for (;;) {
            if (next_ == end_) return ends_early();
            const std::uint8_t head = *next_++;
            const bool is_small_number = head <= 0x7f;
            if (is_small_number) {
                add(Token::Kind::uint, 0, head);
            } else if (!read_rest(head)) {
                return false;
            }
            while (left_count_ == 0) {
                if (depth_ == 0) return true;
                close();
            }
            --left_count_;
        }
    }

    std::size_t left_bytes() const { return static_cast<std::size_t>(end_ - next_); }
    const std::string& problem() const { return problem_; }

  private:
    [[gnu::cold]] bool refuse(std::string text) {
        problem_ = std::move(text);
        return false;
    }
    bool ends_early() {
        return refuse("an end inside a value, at offset " + std::to_string(end_ - begin_));
    }

    /// The value that ended last was the last one of the innermost container.
    void close() {
        const Open& innermost = open_[--depth_];
        tape_.tokens_[innermost.token].end = tape_.size_;
        left_count_ = innermost.left_outside_count;
    }

    bool read_rest(std::uint8_t head) {
        using Kind = Token::Kind;
        if (head <= 0x8f) return open(Kind::map, head & 0x0f);
        if (head <= 0x9f) return open(Kind::array, head & 0x0f);
        if (head <= 0xbf) return add_text(Kind::string, head & 0x1f);
        if (head >= 0xe0) return add_signed(static_cast<std::int8_t>(head));
        std::uint64_t value = 0;
        switch (head) {
            case 0xc0: return add(Kind::nil, 0, 0);
            case 0xc2:
            case 0xc3: return add(Kind::boolean, 0, head & 1);
            case 0xc4: return take<std::uint8_t>(value) && add_text(Kind::binary, value);
            case 0xc5: return take<std::uint16_t>(value) && add_text(Kind::binary, value);
            case 0xc6: return take<std::uint32_t>(value) && add_text(Kind::binary, value);
            case 0xca: return take<std::uint32_t>(value) && add(Kind::real, 0, 0);
            case 0xcb: return take<std::uint64_t>(value) && add(Kind::real, 0, 0);
            case 0xcc: return take<std::uint8_t>(value) && add(Kind::uint, 0, value);
            case 0xcd: return take<std::uint16_t>(value) && add(Kind::uint, 0, value);
            case 0xce: return take<std::uint32_t>(value) && add(Kind::uint, 0, value);
            case 0xcf: return take<std::uint64_t>(value) && add(Kind::uint, 0, value);
            case 0xd0:
                return take<std::uint8_t>(value) && add_signed(static_cast<std::int8_t>(value));
            case 0xd1:
                return take<std::uint16_t>(value) && add_signed(static_cast<std::int16_t>(value));
            case 0xd2:
                return take<std::uint32_t>(value) && add_signed(static_cast<std::int32_t>(value));
            case 0xd3:
                return take<std::uint64_t>(value) && add_signed(static_cast<std::int64_t>(value));
            case 0xd9: return take<std::uint8_t>(value) && add_text(Kind::string, value);
            case 0xda: return take<std::uint16_t>(value) && add_text(Kind::string, value);
            case 0xdb: return take<std::uint32_t>(value) && add_text(Kind::string, value);
            case 0xdc: return take<std::uint16_t>(value) && open(Kind::array, value);
            case 0xdd: return take<std::uint32_t>(value) && open(Kind::array, value);
            case 0xde: return take<std::uint16_t>(value) && open(Kind::map, value);
            case 0xdf: return take<std::uint32_t>(value) && open(Kind::map, value);
            case 0xc1:
                return refuse("a byte that starts no msgpack value, at offset " +
                              std::to_string(next_ - 1 - begin_));
            default: return refuse("an extension type (this protocol has none)");
        }
    }

    /// A big-endian number of the size of T.
    template <class T>
    bool take(std::uint64_t& value) {
        if (left_bytes() < sizeof(T)) return ends_early();
        value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) value = value << 8 | next_[i];
        next_ += sizeof(T);
        return true;
    }

    bool add(Token::Kind kind, std::uint32_t count, std::uint64_t number) {
        const std::uint32_t index = tape_.size_++;
        if (index == tape_.tokens_.size()) tape_.tokens_.resize(2 * index + 64);
        Token& token = tape_.tokens_[index];
        token.kind = kind;
        token.count = count;
        token.end = index + 1;
        token.number = number;
        return true;
    }
    Token& last() { return tape_.tokens_[tape_.size_ - 1]; }

    /// The signed forms may hold a positive number.
    bool add_signed(std::int64_t value) {
        add(value < 0 ? Token::Kind::negative : Token::Kind::uint, 0, 0);
        last().negative = value;
        return true;
    }

    bool add_text(Token::Kind kind, std::uint64_t size) {
        if (left_bytes() < size) return ends_early();
        if (size > limits::string_bytes) {
            return refuse(limit_text(to_string(kind), size, limits::string_bytes));
        }
        add(kind, static_cast<std::uint32_t>(size), 0);
        last().data = reinterpret_cast<const char*>(next_);
        next_ += size;
        return true;
    }

    /// What the container claims to hold is paid for now.
    bool open(Token::Kind kind, std::uint64_t count) {
        if (count > limits::msgpack_container_count) {
            return refuse(limit_text(to_string(kind), count, limits::msgpack_container_count));
        }
        const std::uint64_t values = kind == Token::Kind::map ? 2 * count : count;
        if (values > budget_) {
            return refuse("more elements than the limit of " +
                          std::to_string(limits::msgpack_element_count));
        }
        if (depth_ == open_.size()) {
            return refuse("more nesting than the limit of " +
                          std::to_string(limits::msgpack_depth));
        }
        budget_ -= values;
        open_[depth_++] = {tape_.size_, left_count_};
        left_count_ = static_cast<std::uint32_t>(values);
        return add(kind, static_cast<std::uint32_t>(count), 0);
    }

    /// A container that the next token lies in.
    struct Open {
        std::uint32_t token;
        std::uint32_t left_outside_count;  ///< values that the one around it still claims
    };

    TokenTape& tape_;
    std::array<Open, limits::msgpack_depth> open_;  ///< outermost first
    std::size_t depth_{0};
    std::uint32_t left_count_{0};  ///< values that the innermost still claims
    const std::uint8_t* begin_;
    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::size_t budget_{limits::msgpack_element_count};
    std::string problem_;
};

Result<std::size_t> TokenTape::parse_first(Bytes bytes, std::string_view what) {
    size_ = 0;
    TapeReader reader(*this, bytes);
    if (bytes.empty()) return refuse(what, "no msgpack value");
    if (!reader.read()) return refuse(what, reader.problem());
    return bytes.size() - reader.left_bytes();
}

Result<void> TokenTape::parse(Bytes bytes, std::string_view what) {
    const auto size = parse_first(bytes, what);
    if (!size) return tl::unexpected(size.error());
    if (*size == bytes.size()) return {};
    return refuse(what, std::to_string(bytes.size() - *size) + " bytes behind its end");
}

}  // namespace farm
