#include "common/wire/envelope.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "common/core/expect.h"
#include "schemas/limits.h"

namespace farm {

namespace {

tl::unexpected<Error> refuse(const std::string& problem) {
    return fail(ErrorCode::protocol, "message " + problem + ": send what wire.md says");
}

std::string number(std::uint64_t value) { return std::to_string(value); }

/// What one item takes of frame 1 and of the frames behind it.
struct Share {
    std::size_t body_bytes{0};
    std::size_t frame_count{0};

    bool empty() const { return body_bytes == 0 && frame_count == 0; }
};

Share share_of(const Message& message) {
    if (const auto* call = std::get_if<Call>(&message)) {
        return {call->body_bytes, call->frame_count};
    }
    if (const auto* answer = std::get_if<Answer>(&message)) {
        return {answer->body_bytes, answer->frame_count};
    }
    if (std::holds_alternative<Chunk>(message)) return {0, 1};
    return {};
}

PayloadId* payload_of(Message& message) {
    if (auto* call = std::get_if<Call>(&message)) return &call->payload;
    if (auto* answer = std::get_if<Answer>(&message)) return &answer->payload;
    if (auto* chunk = std::get_if<Chunk>(&message)) return &chunk->payload;
    return nullptr;
}

constexpr std::uint64_t frame_limit(Framing framing) {
    return std::max<std::uint64_t>(limits::frame_bytes, whole_bytes(framing));
}

Result<void> check_sizes(const std::vector<Buffer>& frames, Framing framing) {
    if (frames.empty() || frames.size() > limits::frame_count) {
        return refuse("has " + number(frames.size()) + " frames (the limits are 1 and " +
                      number(limits::frame_count) + ")");
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (frames[i].size() > frame_limit(framing)) {
            return refuse("has a frame " + number(i) + " of " + number(frames[i].size()) +
                          " bytes (the limit is " + number(frame_limit(framing)) + ")");
        }
    }
    return {};
}

Share sum_of(const std::vector<Message>& messages) {
    Share sum;
    for (const Message& message : messages) {
        const Share share = share_of(message);
        sum.body_bytes += share.body_bytes;
        sum.frame_count += share.frame_count;
    }
    return sum;
}

/// Where the bodies of a message lie, and which frame comes behind them.
struct Layout {
    Buffer bodies;
    std::size_t next_frame{1};
};

/// What stands behind the header and in frames 1..n must be what the items declare together, not a
/// byte more or less.
Result<Layout> layout_of(const Share& sum, const std::vector<Buffer>& frames,
                         std::size_t header_bytes) {
    const std::size_t joined_bytes = frames[0].size() - header_bytes;
    const bool has_frame = sum.body_bytes > 0 && joined_bytes == 0;
    const std::size_t expected = (has_frame ? 2 : 1) + sum.frame_count;
    if (frames.size() != expected) {
        return refuse("has " + number(frames.size()) + " frames (its items declare " +
                      number(expected) + ")");
    }
    if (sum.body_bytes > limits::body_bytes) {
        return refuse("declares " + number(sum.body_bytes) + " bytes of bodies (the limit is " +
                      number(limits::body_bytes) + ")");
    }
    if (!has_frame && joined_bytes == sum.body_bytes) {
        return Layout{frames[0].slice(header_bytes, joined_bytes), 1};
    }
    if (!has_frame) {
        return refuse("has " + number(joined_bytes) +
                      " bytes behind its header (its items declare " + number(sum.body_bytes) +
                      ")");
    }
    if (frames[1].size() != sum.body_bytes) {
        return refuse("has a frame 1 of " + number(frames[1].size()) +
                      " bytes (its items declare " + number(sum.body_bytes) + ")");
    }
    return Layout{frames[1], 2};
}

using Frames = std::span<Buffer>;

std::uint64_t size_of(Frames frames) {
    std::uint64_t total = 0;
    for (const Buffer& frame : frames) total += frame.size();
    return total;
}

/// Brokers account by the declared bytes and never look into the body, so they must be possible:
/// at least what the frames have, at most that and the body.
Result<void> check_declared(const char* field, std::uint64_t declared, std::size_t body_bytes,
                            Frames frames) {
    const std::uint64_t least = size_of(frames);
    const std::uint64_t most = least + body_bytes;
    if (declared >= least && declared <= most) return {};
    return refuse(std::string("declares ") + field + " " + number(declared) + " (its bytes allow " +
                  number(least) + " to " + number(most) + ")");
}

Result<void> check_item(const Message& message, const Share& share, Frames frames) {
    if (const auto* chunk = std::get_if<Chunk>(&message)) {
        if (chunk->length == frames.front().size()) return {};
        return refuse("has a CHUNK of length " + number(chunk->length) + " (its frame has " +
                      number(frames.front().size()) + " bytes)");
    }
    if (const auto* call = std::get_if<Call>(&message); call != nullptr && !call->chunked) {
        return check_declared("CALL.input_bytes", call->input_bytes, share.body_bytes, frames);
    }
    if (const auto* answer = std::get_if<Answer>(&message); answer != nullptr && !answer->chunked) {
        return check_declared("RESULT.output_bytes", answer->output_bytes, share.body_bytes,
                              frames);
    }
    return {};
}

Result<void> check_framing(const char* field, std::uint64_t declared, bool chunked,
                           Framing framing) {
    if (framing == Framing::whole) {
        if (!chunked) return {};
        return refuse(std::string("has a chunked ") + field + " (on this link calls travel whole)");
    }
    if (chunked || declared <= whole_bytes(framing)) return {};
    return refuse(std::string("declares ") + field + " " + number(declared) +
                  " without chunked (the limit is " +
                  (framing == Framing::direct ? "direct_frame_bytes, " : "small_call_bytes, ") +
                  number(whole_bytes(framing)) + ")");
}

Result<void> check_framing(const Message& message, Framing framing) {
    if (const auto* call = std::get_if<Call>(&message)) {
        return check_framing("CALL.input_bytes", call->input_bytes, call->chunked, framing);
    }
    if (const auto* answer = std::get_if<Answer>(&message)) {
        return check_framing("RESULT.output_bytes", answer->output_bytes, answer->chunked, framing);
    }
    const bool is_of_chunks = std::holds_alternative<Attach>(message) ||
                              std::holds_alternative<Send>(message) ||
                              std::holds_alternative<Chunk>(message);
    if (framing != Framing::whole || !is_of_chunks) return {};
    return refuse("has a " + std::string(verb_name(message)) +
                  " (on this link calls travel whole)");
}

/// A copy with the shares that its payload has, where the item says others.
template <class T>
std::optional<Message> stamped(const T& item, const Payload* payload) {
    const std::size_t body_bytes = payload == nullptr ? 0 : payload->body.size();
    const bool has_frames = payload != nullptr && !item.chunked;
    const std::size_t frame_count = has_frames ? payload->frames.size() : 0;
    if (item.body_bytes == body_bytes && item.frame_count == frame_count) return std::nullopt;
    std::optional<Message> message(item);
    T& copy = std::get<T>(*message);
    copy.body_bytes = static_cast<std::uint32_t>(body_bytes);
    copy.frame_count = static_cast<std::uint16_t>(frame_count);
    return message;
}

std::optional<Message> corrected(const Message& message, const Payload* payload) {
    if (const auto* call = std::get_if<Call>(&message)) return stamped(*call, payload);
    if (const auto* answer = std::get_if<Answer>(&message)) return stamped(*answer, payload);
    return std::nullopt;
}

bool frames_fit(const Payload& payload, std::size_t frame_count, Framing framing) {
    for (std::size_t i = 0; i < frame_count; ++i) {
        if (payload.frames[i].size() > frame_limit(framing)) return false;
    }
    return true;
}

}  // namespace

Result<void> open_envelope(std::vector<Buffer> frames, PayloadStore& store,
                           std::vector<Message>& items, Framing framing) {
    items.clear();
    if (auto sizes = check_sizes(frames, framing); !sizes) return sizes;
    const auto header_bytes = decode_header(frames[0].bytes(), items);
    if (!header_bytes) return tl::unexpected(header_bytes.error());
    auto layout = layout_of(sum_of(items), frames, *header_bytes);
    if (!layout) return tl::unexpected(layout.error());
    const bool may_change = framing == Framing::whole && layout->next_frame > 1;
    if (may_change) layout->bodies = Buffer::copy_of(layout->bodies.bytes());

    Frames rest = Frames(frames).subspan(layout->next_frame);
    for (const Message& item : items) {
        if (auto allowed = check_framing(item, framing); !allowed) return allowed;
        const Share share = share_of(item);
        if (auto checked = check_item(item, share, rest.first(share.frame_count)); !checked) {
            return checked;
        }
        rest = rest.subspan(share.frame_count);
    }
    rest = Frames(frames).subspan(layout->next_frame);
    std::size_t body_offset = 0;
    for (Message& item : items) {
        const Share share = share_of(item);
        if (share.empty()) continue;
        Payload payload;
        payload.body = layout->bodies.slice(body_offset, share.body_bytes);
        body_offset += share.body_bytes;
        const Frames own = rest.first(share.frame_count);
        payload.frames.assign(std::move_iterator(own.begin()), std::move_iterator(own.end()));
        rest = rest.subspan(share.frame_count);
        *payload_of(item) = store.add(std::move(payload));
    }
    return {};
}

bool EnvelopeWriter::try_add(const Message& message, const Payload* payload, Framing framing) {
    const auto corrected_message = corrected(message, payload);
    const Message& item = corrected_message ? *corrected_message : message;
    const Share share = share_of(item);
    FARM_EXPECT(share.empty() || payload != nullptr);
    if (const auto* chunk = std::get_if<Chunk>(&item)) {
        FARM_EXPECT(payload->frames.size() == 1 && payload->frames[0].size() == chunk->length);
    }
    if (!share.empty() && !frames_fit(*payload, share.frame_count, framing)) return false;
    if (!has_room_for(share.body_bytes, share.frame_count)) return false;
    if (!header_.try_add(item)) return false;
    if (!share.empty()) append(*payload, share.frame_count);
    return true;
}

bool EnvelopeWriter::has_room_for(std::size_t body_bytes, std::size_t frame_count) const {
    constexpr std::size_t header_and_body = 2;
    return body_bytes_ + body_bytes <= limits::body_bytes &&
           header_and_body + frames_.size() + frame_count <= limits::frame_count;
}

void EnvelopeWriter::append(const Payload& payload, std::size_t frame_count) {
    if (!payload.body.empty()) {
        bodies_.push_back(payload.body);
        body_bytes_ += payload.body.size();
    }
    const auto end = payload.frames.begin() + static_cast<std::ptrdiff_t>(frame_count);
    frames_.insert(frames_.end(), payload.frames.begin(), end);
}

Buffer EnvelopeWriter::join_bodies() {
    if (bodies_.size() == 1) return std::move(bodies_.front());
    MutableBuffer joined(body_bytes_);
    std::size_t offset = 0;
    for (const Buffer& body : bodies_) {
        std::memcpy(joined.data() + offset, body.data(), body.size());
        offset += body.size();
    }
    return std::move(joined).freeze();
}

std::span<const Buffer> EnvelopeWriter::finish() {
    FARM_EXPECT(!empty() && message_.empty());
    const bool is_joined = header_.size_bytes() + body_bytes_ <= limits::joined_bytes;
    const Bytes first =
        header_.finish(is_joined ? std::span<const Buffer>(bodies_) : std::span<const Buffer>());
    const bool is_copied = first.size() > limits::joined_bytes;
    message_.push_back(is_copied ? Buffer::copy_of(first) : Buffer::view_of(first));
    if (!is_joined && body_bytes_ > 0) message_.push_back(join_bodies());
    for (Buffer& frame : frames_) message_.push_back(std::move(frame));
    return message_;
}

void EnvelopeWriter::clear() {
    header_.clear();
    bodies_.clear();
    frames_.clear();
    message_.clear();
    body_bytes_ = 0;
}

}  // namespace farm
