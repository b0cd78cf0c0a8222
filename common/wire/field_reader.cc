#include "common/wire/field_reader.h"

#include <cstring>

#include "common/wire/text.h"
#include "schemas/service.h"

namespace farm {

namespace {

std::string shown(const Token& token) {
    switch (token.kind) {
        case Token::Kind::uint: return std::to_string(token.number);
        case Token::Kind::negative: return std::to_string(token.negative);
        case Token::Kind::boolean: return token.number != 0 ? "true" : "false";
        case Token::Kind::string: return in_quotes(token.text());
        case Token::Kind::binary: return "a binary of " + std::to_string(token.count) + " bytes";
        default: return std::string(to_string(token.kind));
    }
}

bool is_url(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_model_name(std::string_view text) {
    return text.find('/') == std::string_view::npos && is_service_name(text);
}

bool has_right_bytes(std::string_view text, TextKind kind) {
    switch (kind) {
        case TextKind::name:
        case TextKind::identifier:
        case TextKind::token: return is_name(text);
        case TextKind::text: return is_utf8(text);
        case TextKind::service: return is_service_name(text);
        case TextKind::model: return is_model_name(text);
        case TextKind::url: return is_url(text);
    }
    return false;
}

std::string_view right_bytes(TextKind kind) {
    switch (kind) {
        case TextKind::name:
        case TextKind::identifier:
        case TextKind::token: return "is UTF-8 without control characters";
        case TextKind::text: return "is UTF-8";
        case TextKind::service: return "is letters, digits, '_', '-', '.', then '/version' or not";
        case TextKind::model: return "is letters, digits, '_', '-', '.'";
        case TextKind::url: return "is printable ASCII without spaces";
    }
    return "";
}

}  // namespace

FieldReader::FieldReader(ReadContext& context, std::uint32_t map, Place place)
    : context_(context), place_(place) {
    if (failed()) return;
    const Token& token = tape()[map];
    if (token.kind != Token::Kind::map) {
        refuse(nullptr, "is " + shown(token) + " (it must be a map)");
        return;
    }
    std::uint32_t index = map + 1;
    for (std::uint32_t i = 0; i < token.count; ++i) {
        const std::uint32_t value_index = tape().next(index);
        if (!note_key(tape()[index], value_index)) return;
        index = tape().next(value_index);
    }
}

/// Files one entry of the map; false when its key is refused.
bool FieldReader::note_key(const Token& key, std::uint32_t value_index) {
    int number = 0;
    if (key.kind == Token::Kind::uint && key.number <= largest_key) {
        number = static_cast<int>(key.number);
    } else if (key.kind == Token::Kind::negative && key.negative >= smallest_key) {
        number = static_cast<int>(key.negative);
    } else {
        return refuse_key(key);
    }
    if ((present_ & bit(number)) != 0) return refuse_key(key);
    present_ |= bit(number);
    values_[slot(number)] = value_index;
    return true;
}

bool FieldReader::refuse_key(const Token& key) {
    std::string problem = "has key " + shown(key);
    if (key.kind == Token::Kind::uint) {
        problem +=
            key.number > largest_key ? " (must be understood and is not known here)" : " twice";
    } else if (key.kind == Token::Kind::negative) {
        problem += key.negative < smallest_key
                       ? " (the smallest is " + std::to_string(smallest_key) + ")"
                       : std::string(" twice");
    } else {
        problem += " (keys are integers)";
    }
    refuse(nullptr, problem);
    return false;
}

void FieldReader::finish() {
    const std::uint64_t unknown = present_ & ~taken_ & ~(bit(0) - 1);
    if (failed() || unknown == 0) return;
    int key = 0;
    while ((unknown & bit(key)) == 0) ++key;
    refuse(nullptr,
           "has key " + std::to_string(key) + " (must be understood and is not known here)");
}

std::string FieldReader::path() const {
    if (place_.field == nullptr) return std::string(context_.subject);
    std::string text = place_.parent != nullptr ? place_.parent->path() + "." : std::string();
    text += place_.field;
    if (place_.element < 0) return text;
    text += '[';
    text += std::to_string(place_.element);
    text += ']';
    return text;
}

void FieldReader::refuse(const char* name, std::string_view problem, ErrorCode code) {
    if (failed()) return;
    std::string text = path();
    if (name != nullptr) text += std::string(".") + name;
    text += " ";
    text += problem;
    context_.error = Error{code, text + ": send what wire.md says"};
}

bool FieldReader::refuse_kind(const Token& token, Token::Kind kind, const char* name) {
    refuse(name, "is " + shown(token) + " (it must be " + std::string(to_string(kind)) + ")");
    return false;
}

std::uint64_t FieldReader::refuse_number(const Token& token, const char* name, NumberRule rule) {
    const bool is_number = token.kind == Token::Kind::uint || token.kind == Token::Kind::negative;
    if (!is_number) {
        refuse_kind(token, Token::Kind::uint, name);
        return 0;
    }
    refuse(name, "is " + shown(token) + " (the limits are " + std::to_string(rule.low) + " and " +
                     std::to_string(rule.high) + ")");
    return 0;
}

void FieldReader::flag(int key, const char* name, bool& value, bool) {
    const Token* token = take(key);
    if (token != nullptr && expect(*token, Token::Kind::boolean, name)) value = token->number != 0;
}

void FieldReader::text(int key, const char* name, std::string& value, TextKind kind,
                       Presence presence) {
    if (const Token* token = take(key)) read_text(*token, name, value, kind, presence);
    if (presence == Presence::required) require(key, name);
}

void FieldReader::read_text(const Token& token, const char* name, std::string& value, TextKind kind,
                            Presence presence) {
    if (!expect(token, Token::Kind::string, name)) return;
    const std::string_view text = token.text();
    if (text.size() > limit_bytes(kind)) {
        return refuse(name, "has " + std::to_string(text.size()) + " bytes (the limit is " +
                                std::to_string(limit_bytes(kind)) + ")");
    }
    if (text.empty()) {
        if (presence == Presence::required) refuse(name, "is empty (it is required)");
        return;
    }
    if (!has_right_bytes(text, kind)) {
        return refuse(name,
                      "is " + in_quotes(text) + " (it " + std::string(right_bytes(kind)) + ")");
    }
    value.assign(text);
}

void FieldReader::read_binary(const Token& token, const char* name, std::uint8_t* into,
                              std::size_t size) {
    if (!expect(token, Token::Kind::binary, name)) return;
    if (token.count != size) {
        return refuse(name, "is " + shown(token) + " (it must have " + std::to_string(size) + ")");
    }
    std::memcpy(into, token.data, size);
}

void FieldReader::read_id(const Token& token, const char* name, std::uint8_t* into,
                          std::size_t size) {
    read_binary(token, name, into, size);
    if (!failed() && std::all_of(into, into + size, [](std::uint8_t b) { return b == 0; })) {
        refuse(name, "is all zero (that means none)");
    }
}

void FieldReader::fixed_binary(int key, const char* name, std::string& value, std::size_t size) {
    const Token* token = take(key);
    if (token != nullptr && expect(*token, Token::Kind::binary, name)) {
        if (token->count == size) {
            value.assign(token->text());
        } else {
            refuse(name, "is " + shown(*token) + " (it must have " + std::to_string(size) + ")");
        }
    }
    require(key, name);
}

void FieldReader::read_call_key(const Token& token, const char* name, CallKey& value) {
    std::array<std::uint8_t, 17> bytes{};
    read_binary(token, name, bytes.data(), bytes.size());
    if (failed()) return;
    std::memcpy(value.id.bytes.data(), bytes.data(), value.id.bytes.size());
    value.attempt = bytes.back();
    if (!value.id) refuse(name, "has a call id that is all zero (that means none)");
    if (value.attempt < 1 || value.attempt > limits::attempt_count) {
        refuse(name, "has attempt " + std::to_string(value.attempt) + " (the limits are 1 and " +
                         std::to_string(limits::attempt_count) + ")");
    }
}

void FieldReader::call_key(int key, const char* name, CallKey& value) {
    if (const Token* token = take(key)) read_call_key(*token, name, value);
    require(key, name);
}

bool FieldReader::is_list(std::uint32_t index, const char* name, std::size_t limit) {
    const Token& token = tape()[index];
    if (!expect(token, Token::Kind::array, name)) return false;
    if (token.count <= limit) return true;
    refuse(name, "has " + std::to_string(token.count) + " entries (the limit is " +
                     std::to_string(limit) + ")");
    return false;
}

void FieldReader::call_keys(int key, const char* name, std::vector<CallKey>& values,
                            std::size_t limit) {
    for_each(key, name, limit, values, [&](std::uint32_t index, int, CallKey& value) {
        read_call_key(tape()[index], name, value);
    });
}

void FieldReader::indices(int key, const char* name, std::vector<ServiceIndex>& values,
                          std::size_t limit) {
    for_each(key, name, limit, values, [&](std::uint32_t index, int, ServiceIndex& value) {
        value.value =
            static_cast<std::uint16_t>(bounded(tape()[index], name, {.low = 1, .high = 65535}));
    });
}

void FieldReader::dimensions(int key, const char* name, Shape& shape) {
    if (const auto index = take_index(key)) read_shape(*index, name, shape);
}

void FieldReader::read_shape(std::uint32_t index, const char* name, Shape& shape) {
    if (!is_list(index, name, limits::tensor_rank)) return;
    shape.resize(tape()[index].count);
    std::uint32_t child = index + 1;
    for (std::int64_t& length : shape) {
        const Token& token = tape()[child++];
        const bool is_free = token.kind == Token::Kind::negative && token.negative == -1;
        length =
            is_free ? -1
                    : static_cast<std::int64_t>(bounded(token, name, {.high = limits::call_bytes}));
        if (failed()) return;
    }
}

void FieldReader::check(bool holds, const char* name, const char* problem) {
    if (!holds) refuse(name, problem);
}

void FieldReader::check_type(const DType& type) {
    if (failed()) return;
    if (!checked_size_bytes({.name = {}, .type = type, .shape = {}})) {
        refuse("code", "with bits and lanes is " + to_string(type) + " (no type of this protocol)");
    }
}

}  // namespace farm
