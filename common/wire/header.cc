#include "common/wire/header.h"

#include <array>
#include <utility>
#include <variant>

#include "common/wire/field_reader.h"
#include "common/wire/field_writer.h"
#include "common/wire/message_fields.h"
#include "common/wire/text.h"
#include "common/wire/token_tape.h"
#include "schemas/limits.h"

namespace farm {

namespace {

constexpr std::string_view magic = "EF";
constexpr std::uint32_t preamble_count = 2;  ///< magic and version
constexpr std::size_t verb_count = std::variant_size_v<Message>;

/// Room for the larger form of the array's head; the short form starts 2 bytes later.
constexpr std::size_t array16_bytes = 3;
constexpr std::size_t longest_fixarray = 15;

using ReadItem = void (*)(ReadContext&, std::uint32_t map, Message&);

template <std::size_t Verb>
void read_item(ReadContext& context, std::uint32_t map, Message& message) {
    auto& item = message.emplace<Verb>();
    context.subject = verb_name(message);
    FieldReader reader(context, map);
    fields(reader, item);
    reader.finish();
}

template <std::size_t... Verb>
constexpr std::array<ReadItem, verb_count> readers(std::index_sequence<Verb...>) {
    return {&read_item<Verb>...};
}

constexpr auto read_by_verb = readers(std::make_index_sequence<verb_count>{});

tl::unexpected<Error> refuse(const std::string& problem) {
    return fail(ErrorCode::protocol, "header " + problem + ": send what wire.md says");
}

/// What stands before the items, whatever the version.
Result<std::uint16_t> read_preamble(const TokenTape& tape) {
    const Token& head = tape[0];
    if (head.kind != Token::Kind::array || head.count < preamble_count) {
        return refuse("is " + std::string(to_string(head.kind)) + " of " +
                      std::to_string(head.count) + " (it must be an array of at least 2)");
    }
    if (tape[1].kind != Token::Kind::string || tape[1].text() != magic) {
        return refuse("does not begin with \"EF\" (this is another protocol)");
    }
    if (tape[2].kind != Token::Kind::uint || tape[2].number > 0xffff) {
        return refuse("has no version number behind \"EF\"");
    }
    return static_cast<std::uint16_t>(tape[2].number);
}

struct ParsedHeader {
    const TokenTape* tape;
    std::size_t size_bytes;
};

Result<ParsedHeader> parse_header(Bytes frame) {
    thread_local TokenTape tape;
    if (frame.size() > limits::header_bytes) {
        return refuse("has " + std::to_string(frame.size()) + " bytes (the limit is " +
                      std::to_string(limits::header_bytes) + ")");
    }
    const auto size = tape.parse_first(frame, "header");
    if (!size) return tl::unexpected(size.error());
    return ParsedHeader{&tape, *size};
}

/// Reads into `message`, because a Message is large and would be moved twice on its way back.
Result<void> read_message(const TokenTape& tape, std::uint32_t item, std::size_t number,
                          Message& message) {
    const Token& token = tape[item];
    const auto place = [number] { return "item " + std::to_string(number); };
    if (token.kind != Token::Kind::array || token.count != 2) {
        return refuse(place() + " is " + std::string(to_string(token.kind)) + " of " +
                      std::to_string(token.count) + " (an item is an array of verb and map)");
    }
    const Token& verb = tape[item + 1];
    if (verb.kind != Token::Kind::uint || verb.number >= verb_count) {
        const std::string value = verb.kind == Token::Kind::uint
                                      ? std::to_string(verb.number)
                                      : std::string(to_string(verb.kind));
        return refuse(place() + " has verb " + value + " (the last one known is " +
                      std::to_string(verb_count - 1) + ")");
    }
    ReadContext context{tape, {}, {}};
    read_by_verb[verb.number](context, item + 2, message);
    if (context.error) return tl::unexpected(std::move(*context.error));
    return {};
}

}  // namespace

std::optional<std::uint16_t> header_version(Bytes frame) {
    const auto header = parse_header(frame);
    if (!header) return std::nullopt;
    const auto version = read_preamble(*header->tape);
    return version ? std::optional(*version) : std::nullopt;
}

Result<std::size_t> decode_header(Bytes frame, std::vector<Message>& items) {
    items.clear();
    const auto header = parse_header(frame);
    if (!header) return tl::unexpected(header.error());
    const TokenTape& tape = *header->tape;
    const auto version = read_preamble(tape);
    if (!version) return tl::unexpected(version.error());
    if (*version != protocol_version) {
        return refuse("has protocol version " + std::to_string(*version) + " (this is version " +
                      std::to_string(protocol_version) + ")");
    }
    const std::size_t count = tape[0].count - preamble_count;
    if (count == 0 || count > limits::item_count) {
        return refuse("has " + std::to_string(count) + " items (the limits are 1 and " +
                      std::to_string(limits::item_count) + ")");
    }
    items.reserve(count);
    std::uint32_t item = 1 + preamble_count;
    for (std::size_t i = 0; i < count; ++i, item = tape.next(item)) {
        auto read = read_message(tape, item, i, items.emplace_back());
        if (!read) return tl::unexpected(std::move(read).error());
    }
    return header->size_bytes;
}

HeaderWriter::HeaderWriter() { clear(); }

void HeaderWriter::clear() {
    bytes_.assign(array16_bytes, '\0');
    pack::text(bytes_, magic);
    pack::number(bytes_, protocol_version);
    item_count_ = 0;
}

bool HeaderWriter::try_add(const Message& message) {
    if (item_count_ == limits::item_count) return false;
    const std::size_t before = bytes_.size();
    pack::array(bytes_, 2);
    pack::number(bytes_, message.index());
    std::visit(
        [this](const auto& item) {
            FieldWriter writer(bytes_);
            // fields() serves both directions; with a writer it only looks.
            fields(writer, const_cast<std::remove_cvref_t<decltype(item)>&>(item));
            writer.finish();
        },
        message);
    if (bytes_.size() > limits::header_bytes) {
        bytes_.resize(before);
        return false;
    }
    ++item_count_;
    return true;
}

Bytes HeaderWriter::finish(std::span<const Buffer> bodies) {
    for (const Buffer& body : bodies) {
        bytes_.append(reinterpret_cast<const char*>(body.data()), body.size());
    }
    const std::size_t count = item_count_ + preamble_count;
    const auto all = std::as_bytes(std::span(bytes_));
    if (count <= longest_fixarray) {
        bytes_[array16_bytes - 1] = static_cast<char>(0x90 | count);
        return all.subspan(array16_bytes - 1);
    }
    bytes_[0] = '\xdc';
    bytes_[1] = static_cast<char>(count >> 8);
    bytes_[2] = static_cast<char>(count & 0xff);
    return all;
}

bool fits_alone(const Message& message) { return HeaderWriter().try_add(message); }

}  // namespace farm
