#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "common/core/ids.h"
#include "common/wire/field_rules.h"
#include "common/wire/token_tape.h"
#include "schemas/tensor.h"

namespace farm {

/// One document being read: its tokens, the name of what is read, and the first error.
struct ReadContext {
    const TokenTape& tape;
    std::string_view subject;  ///< "CALL", "body"
    std::optional<Error> error;
};

/// Reads one map of message_fields.h. Fields that are absent keep the member's default.
///
/// The first error stays in the context and makes everything after it a no-op, so callers check
/// once, at the end. Errors name the path of the field ("ADVERTISE.services[2].version"), the value
/// and the limit. Lists are sized only after their count was checked.
class FieldReader {
  public:
    static constexpr bool reads = true;

    /// Where a nested map lies; only looked at for an error text.
    struct Place {
        const FieldReader* parent{nullptr};
        const char* field{nullptr};
        int element{-1};
    };

    /// `map` is the index of the token that should be a map with integer keys.
    FieldReader(ReadContext& context, std::uint32_t map, Place place);
    FieldReader(ReadContext& context, std::uint32_t map) : FieldReader(context, map, Place()) {}
    /// Refuses keys that must be understood and were not asked for. To be called once, last.
    void finish();

    template <class T>
    void number(int key, const char* name, T& value, NumberRule rule = {}) {
        rule.high = std::min<std::uint64_t>(rule.high, std::numeric_limits<T>::max());
        if (const Token* token = take(key)) value = static_cast<T>(bounded(*token, name, rule));
    }
    template <class T>
    void required_number(int key, const char* name, T& value, NumberRule rule) {
        number(key, name, value, rule);
        require(key, name);
    }
    template <class Tag, class Number>
    void number_id(int key, const char* name, OpaqueId<Tag, Number>& id) {
        required_number(key, name, id.value, {.low = 1});
    }
    template <class E>
    void choice(int key, const char* name, E& value, E, E last) {
        if (const Token* token = take(key)) {
            value =
                static_cast<E>(bounded(*token, name, {.high = static_cast<std::uint64_t>(last)}));
        }
    }
    template <class E>
    void required_choice(int key, const char* name, E& value, E last) {
        choice(key, name, value, last, last);
        require(key, name);
    }
    template <class Tag>
    void id(int key, const char* name, RandomId<Tag>& id) {
        if (const Token* token = take(key)) read_id(*token, name, id.bytes.data(), id.bytes.size());
        require(key, name);
    }
    template <std::size_t N>
    void bytes(int key, const char* name, std::array<std::uint8_t, N>& value) {
        if (const Token* token = take(key)) read_binary(*token, name, value.data(), N);
    }
    void flag(int key, const char* name, bool& value, bool fallback);
    void text(int key, const char* name, std::string& value, TextKind kind,
              Presence presence = Presence::optional);
    void fixed_binary(int key, const char* name, std::string& value, std::size_t size);
    void call_key(int key, const char* name, CallKey& value);
    void call_keys(int key, const char* name, std::vector<CallKey>& values, std::size_t limit);
    void indices(int key, const char* name, std::vector<ServiceIndex>& values, std::size_t limit);
    void dimensions(int key, const char* name, Shape& shape);

    template <class T>
    void record(int key, const char* name, T& value) {
        if (const auto index = take_index(key)) read_record(*index, {this, name}, value);
    }
    template <class T>
    void list(int key, const char* name, std::vector<T>& values, std::size_t limit) {
        for_each(key, name, limit, values, [&](std::uint32_t index, int element, T& value) {
            read_record(index, {this, name, element}, value);
        });
    }

    /// A rule that joins several fields.
    void check(bool holds, const char* name, const char* problem);
    /// The type must be one of ours.
    void check_type(const DType& type);

    /// Index of the value of a key, and marks the key as understood.
    std::optional<std::uint32_t> take_index(int key) {
        if ((present_ & bit(key)) == 0 || failed()) return std::nullopt;
        taken_ |= bit(key);
        return values_[slot(key)];
    }
    [[gnu::cold]] void refuse(const char* name, std::string_view problem,
                              ErrorCode = ErrorCode::protocol);
    bool failed() const { return context_.error.has_value(); }
    const TokenTape& tape() const { return context_.tape; }

    /// Checked values of single tokens; `name` is for the error.
    std::uint64_t bounded(const Token& token, const char* name, NumberRule rule) {
        const bool holds = token.kind == Token::Kind::uint && token.number >= rule.low &&
                           token.number <= rule.high;
        return holds ? token.number : refuse_number(token, name, rule);
    }
    void read_text(const Token& token, const char* name, std::string& value, TextKind kind,
                   Presence presence);
    void read_shape(std::uint32_t index, const char* name, Shape& shape);

    /// Calls `read(index, position, element)` for each entry of the list behind `key`.
    template <class T, class F>
    void for_each(int key, const char* name, std::size_t limit, std::vector<T>& values, F read) {
        const auto index = take_index(key);
        if (!index || !is_list(*index, name, limit)) return;
        values.resize(tape()[*index].count);
        std::uint32_t child = *index + 1;
        for (std::size_t i = 0; i < values.size() && !failed(); ++i, child = tape().next(child)) {
            read(child, static_cast<int>(i), values[i]);
        }
    }

  private:
    template <class T>
    void read_record(std::uint32_t index, Place place, T& value) {
        FieldReader inner(context_, index, place);
        fields(inner, value);
        inner.finish();
    }

    static constexpr std::size_t slot(int key) {
        return static_cast<std::size_t>(key - smallest_key);
    }
    static constexpr std::uint64_t bit(int key) { return std::uint64_t{1} << slot(key); }

    const Token* take(int key) {
        const auto index = take_index(key);
        return index ? &tape()[*index] : nullptr;
    }
    void require(int key, const char* name) {
        if ((present_ & bit(key)) == 0) refuse(name, "is missing (it is required)");
    }
    bool expect(const Token& token, Token::Kind kind, const char* name) {
        return token.kind == kind || refuse_kind(token, kind, name);
    }
    bool note_key(const Token& key, std::uint32_t value_index);
    [[gnu::cold]] bool refuse_key(const Token& key);
    [[gnu::cold]] bool refuse_kind(const Token& token, Token::Kind kind, const char* name);
    [[gnu::cold]] std::uint64_t refuse_number(const Token& token, const char* name,
                                              NumberRule rule);
    bool is_list(std::uint32_t index, const char* name, std::size_t limit);
    void read_binary(const Token& token, const char* name, std::uint8_t* into, std::size_t size);
    void read_id(const Token& token, const char* name, std::uint8_t* into, std::size_t size);
    void read_call_key(const Token& token, const char* name, CallKey& value);
    std::string path() const;

    ReadContext& context_;
    Place place_;
    std::uint64_t present_{0};  ///< bit per key
    std::uint64_t taken_{0};
    /// Valid where present_ has the bit.
    std::array<std::uint32_t, largest_key - smallest_key + 1> values_;
};

}  // namespace farm
