#include "common/wire/envelope.h"

#include <cstring>
#include <optional>
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

Result<void> check_sizes(const std::vector<Buffer>& frames) {
    if (frames.empty() || frames.size() > limits::frame_count) {
        return refuse("has " + number(frames.size()) + " frames (the limits are 1 and " +
                      number(limits::frame_count) + ")");
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (frames[i].size() > limits::frame_bytes) {
            return refuse("has a frame " + number(i) + " of " + number(frames[i].size()) +
                          " bytes (the limit is " + number(limits::frame_bytes) + ")");
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

/// Frames 1..n must be what the items declare together, not a byte more or less.
Result<void> check_shares(const Share& sum, const std::vector<Buffer>& frames) {
    const bool has_body = sum.body_bytes > 0;
    const std::size_t expected = 1 + (has_body ? 1 : 0) + sum.frame_count;
    if (frames.size() != expected) {
        return refuse("has " + number(frames.size()) + " frames (its items declare " +
                      number(expected) + ")");
    }
    if (!has_body) return {};
    if (sum.body_bytes > limits::body_bytes) {
        return refuse("declares " + number(sum.body_bytes) + " bytes of bodies (the limit is " +
                      number(limits::body_bytes) + ")");
    }
    if (frames[1].size() != sum.body_bytes) {
        return refuse("has a frame 1 of " + number(frames[1].size()) +
                      " bytes (its items declare " + number(sum.body_bytes) + ")");
    }
    return {};
}

std::uint64_t frame_bytes(const Payload& payload) {
    std::uint64_t total = 0;
    for (const Buffer& frame : payload.frames) total += frame.size();
    return total;
}

/// Brokers account by the declared bytes and never look into the body, so they must be possible:
/// at least what the frames have, at most that and the body.
Result<void> check_declared(const char* field, std::uint64_t declared, const Payload& payload) {
    const std::uint64_t least = frame_bytes(payload);
    const std::uint64_t most = least + payload.body.size();
    if (declared >= least && declared <= most) return {};
    return refuse(std::string("declares ") + field + " " + number(declared) + " (its bytes allow " +
                  number(least) + " to " + number(most) + ")");
}

Result<void> check_payload(const Message& message, const Payload& payload) {
    if (const auto* chunk = std::get_if<Chunk>(&message)) {
        if (chunk->length == payload.frames.front().size()) return {};
        return refuse("has a CHUNK of length " + number(chunk->length) + " (its frame has " +
                      number(payload.frames.front().size()) + " bytes)");
    }
    if (const auto* call = std::get_if<Call>(&message); call != nullptr && !call->chunked) {
        return check_declared("CALL.input_bytes", call->input_bytes, payload);
    }
    if (const auto* answer = std::get_if<Answer>(&message); answer != nullptr && !answer->chunked) {
        return check_declared("RESULT.output_bytes", answer->output_bytes, payload);
    }
    return {};
}

/// Hands out bodies and frames in the order of the items.
class FrameDealer {
  public:
    FrameDealer(std::vector<Buffer> frames, bool has_body)
        : frames_(std::move(frames)), next_frame_(has_body ? 2 : 1) {}

    Payload deal(const Share& share) {
        Payload payload;
        if (share.body_bytes > 0) {
            payload.body = frames_[1].slice(body_offset_, share.body_bytes);
            body_offset_ += share.body_bytes;
        }
        payload.frames.reserve(share.frame_count);
        for (std::size_t i = 0; i < share.frame_count; ++i) {
            payload.frames.push_back(std::move(frames_[next_frame_++]));
        }
        return payload;
    }

  private:
    std::vector<Buffer> frames_;
    std::size_t next_frame_;
    std::size_t body_offset_{0};
};

/// The item with the shares that its payload has.
template <class T>
void stamp(T& item, const Payload* payload) {
    item.body_bytes = payload == nullptr ? 0 : static_cast<std::uint32_t>(payload->body.size());
    const bool has_frames = payload != nullptr && !item.chunked;
    item.frame_count = has_frames ? static_cast<std::uint16_t>(payload->frames.size()) : 0;
}

template <class T>
std::optional<Message> stamped(const T& item, const Payload* payload) {
    T copy;
    copy.chunked = item.chunked;
    stamp(copy, payload);
    if (copy.body_bytes == item.body_bytes && copy.frame_count == item.frame_count) {
        return std::nullopt;
    }
    copy = item;
    stamp(copy, payload);
    return copy;
}

/// A corrected copy where the item's shares are not those of its payload.
std::optional<Message> corrected(const Message& message, const Payload* payload) {
    if (const auto* call = std::get_if<Call>(&message)) return stamped(*call, payload);
    if (const auto* answer = std::get_if<Answer>(&message)) return stamped(*answer, payload);
    return std::nullopt;
}

bool frames_fit(const Payload& payload, std::size_t frame_count) {
    for (std::size_t i = 0; i < frame_count; ++i) {
        if (payload.frames[i].size() > limits::frame_bytes) return false;
    }
    return true;
}

}  // namespace

Result<std::vector<Message>> open_envelope(std::vector<Buffer> frames, PayloadStore& store) {
    if (auto sizes = check_sizes(frames); !sizes) return tl::unexpected(std::move(sizes).error());
    auto messages = decode_header(frames[0].bytes());
    if (!messages) return messages;
    const Share sum = sum_of(*messages);
    if (auto shares = check_shares(sum, frames); !shares) {
        return tl::unexpected(std::move(shares).error());
    }
    FrameDealer dealer(std::move(frames), sum.body_bytes > 0);
    std::vector<Payload> payloads;
    payloads.reserve(messages->size());
    for (const Message& message : *messages) {
        payloads.push_back(dealer.deal(share_of(message)));
        if (auto checked = check_payload(message, payloads.back()); !checked) {
            return tl::unexpected(std::move(checked).error());
        }
    }
    for (std::size_t i = 0; i < messages->size(); ++i) {
        Message& message = (*messages)[i];
        if (!share_of(message).empty()) *payload_of(message) = store.add(std::move(payloads[i]));
    }
    return messages;
}

bool EnvelopeWriter::try_add(const Message& message, const Payload* payload) {
    const auto corrected_message = corrected(message, payload);
    const Message& item = corrected_message ? *corrected_message : message;
    const Share share = share_of(item);
    FARM_EXPECT(share.empty() || payload != nullptr);
    if (const auto* chunk = std::get_if<Chunk>(&item)) {
        FARM_EXPECT(payload->frames.size() == 1 && payload->frames[0].size() == chunk->length);
    }
    if (!share.empty() && !frames_fit(*payload, share.frame_count)) return false;
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

std::vector<Buffer> EnvelopeWriter::finish() {
    FARM_EXPECT(!empty());
    std::vector<Buffer> message;
    message.reserve(2 + frames_.size());
    message.push_back(Buffer::copy_of(header_.finish()));
    if (body_bytes_ > 0) message.push_back(join_bodies());
    for (Buffer& frame : frames_) message.push_back(std::move(frame));
    header_.clear();
    bodies_.clear();
    frames_.clear();
    body_bytes_ = 0;
    return message;
}

}  // namespace farm
