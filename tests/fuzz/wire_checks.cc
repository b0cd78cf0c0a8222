#include "tests/fuzz/wire_checks.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/core/expect.h"
#include "common/wire/body.h"
#include "common/wire/envelope.h"
#include "common/wire/header.h"
#include "schemas/limits.h"

namespace farm::test {

namespace {

void check_error(const Error& error) {
    FARM_ENSURE(error.code == ErrorCode::protocol || error.code == ErrorCode::invalid ||
                error.code == ErrorCode::too_large);
    FARM_ENSURE(!error.message.empty() && error.message.size() < 2000);
}

/// What the items say about the rest of their message.
struct Declared {
    std::uint64_t body_bytes{0};
    std::vector<std::size_t> frame_bytes;
};

template <class T>
void add_share(const T& item, std::uint64_t tensor_bytes, Declared& declared) {
    declared.body_bytes += item.body_bytes;
    // Any sizes that add up to what the item says will do; the first frame gets all of it.
    for (std::size_t i = 0; i < item.frame_count; ++i) {
        declared.frame_bytes.push_back(i == 0 ? static_cast<std::size_t>(tensor_bytes) : 0);
    }
}

Declared declared_by(const std::vector<Message>& items) {
    Declared declared;
    for (const Message& item : items) {
        if (const auto* call = std::get_if<Call>(&item)) {
            add_share(*call, call->input_bytes, declared);
        } else if (const auto* answer = std::get_if<Answer>(&item)) {
            add_share(*answer, answer->output_bytes, declared);
        } else if (const auto* chunk = std::get_if<Chunk>(&item)) {
            declared.frame_bytes.push_back(chunk->length);
        }
    }
    return declared;
}

/// All zero; the envelope never looks at these bytes.
Buffer zeros(std::size_t size) {
    static const std::string block(limits::direct_frame_bytes + 1, '\0');
    return Buffer::view_of(std::as_bytes(std::span(block)).first(std::min(size, block.size())));
}

bool has_payload(const Message& item) {
    if (const auto* call = std::get_if<Call>(&item)) return bool(call->payload);
    if (const auto* answer = std::get_if<Answer>(&item)) return bool(answer->payload);
    if (const auto* chunk = std::get_if<Chunk>(&item)) return bool(chunk->payload);
    return false;
}

void check_opened(std::vector<Buffer> frames) {
    PayloadStore store;
    std::vector<Message> items;
    const auto opened = open_envelope(std::move(frames), store, items);
    if (!opened) {
        check_error(opened.error());
        FARM_ENSURE(store.count() == 0);
        return;
    }
    const auto payloads = std::count_if(items.begin(), items.end(), has_payload);
    FARM_ENSURE(store.count() == static_cast<std::size_t>(payloads));
}

void check_refused(std::vector<Buffer> frames) {
    PayloadStore store;
    std::vector<Message> items;
    FARM_ENSURE(!open_envelope(std::move(frames), store, items) && store.count() == 0);
}

/// The same message with its bodies in frame 1, and behind the header.
void check_envelope(Bytes header, const std::vector<Message>& items) {
    const Declared declared = declared_by(items);
    for (const bool is_joined : {false, true}) {
        std::string first(reinterpret_cast<const char*>(header.data()), header.size());
        if (is_joined) first.resize(first.size() + zeros(declared.body_bytes).size());
        std::vector<Buffer> frames{Buffer::view_of(std::as_bytes(std::span(first)))};
        if (!is_joined && declared.body_bytes > 0) frames.push_back(zeros(declared.body_bytes));
        for (const std::size_t size : declared.frame_bytes) frames.push_back(zeros(size));
        check_opened(frames);
        frames.push_back(zeros(1));
        check_refused(frames);
        frames.resize(frames.size() - 2);
        check_refused(frames);
        if (!is_joined) continue;
        first += '\0';
        check_refused({Buffer::view_of(std::as_bytes(std::span(first)))});
    }
}

void check_round_trip(const std::vector<Message>& items, std::size_t size_bytes) {
    HeaderWriter writer;
    for (const Message& item : items) FARM_ENSURE(writer.try_add(item));
    const Bytes bytes = writer.finish();
    FARM_ENSURE(bytes.size() <= size_bytes);
    std::vector<Message> again;
    FARM_ENSURE(decode_header(bytes, again) == bytes.size() && again == items);
}

template <class Body, class Unpack>
bool check_decoded(const Buffer& bytes, const Result<Body>& body, Unpack unpack) {
    if (!body) {
        check_error(body.error());
        return false;
    }
    std::vector<Buffer> frames;
    bool is_small = true;
    for (const LargeTensor& large : large_tensors(body->tensors)) {
        is_small = is_small && large.size_bytes <= limits::direct_frame_bytes;
        frames.push_back(zeros(large.size_bytes));
    }
    FARM_ENSURE(unpack({bytes, std::move(frames)}).has_value() == is_small);
    FARM_ENSURE(encode_body(*body).size() <= bytes.size());
    return true;
}

}  // namespace

bool check_header(Bytes bytes) {
    std::vector<Message> items;
    const auto size = decode_header(bytes, items);
    if (!size) {
        check_error(size.error());
        return false;
    }
    FARM_ENSURE(!items.empty() && items.size() <= limits::item_count && *size <= bytes.size());
    FARM_ENSURE(header_version(bytes) == protocol_version);
    check_round_trip(items, *size);
    check_envelope(bytes.first(*size), items);
    return true;
}

bool check_body(Bytes bytes) {
    const Buffer buffer = Buffer::view_of(bytes);
    const bool is_call = check_decoded(buffer, decode_call_body(buffer), &unpack_call);
    const bool is_answer = check_decoded(buffer, decode_answer_body(buffer), &unpack_answer);
    FARM_ENSURE(is_answer || !is_call);
    return is_answer;
}

}  // namespace farm::test
