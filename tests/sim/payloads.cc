#include "tests/sim/payloads.h"

#include <utility>

namespace farm::sim {

bool SimPayload::complete() const {
    if (filled.size() != large.size()) return false;
    for (std::size_t i = 0; i < large.size(); ++i) {
        if (filled[i] != large[i].size_bytes) return false;
    }
    return true;
}

PayloadId* payload_member(Message& message) {
    if (auto* call = std::get_if<Call>(&message)) return &call->payload;
    if (auto* answer = std::get_if<Answer>(&message)) return &answer->payload;
    if (auto* chunk = std::get_if<Chunk>(&message)) return &chunk->payload;
    return nullptr;
}

void SimPayloads::violate(const std::string& text) {
    verdict_.violate("payload ownership", owner_ + ": " + text);
}

PayloadId SimPayloads::add(SimPayload payload) {
    const PayloadId id{next_++};
    payloads_.emplace(id, std::move(payload));
    return id;
}

SimPayload SimPayloads::get(PayloadId id, const char* what) {
    const auto found = payloads_.find(id);
    if (found != payloads_.end()) return found->second;
    violate(std::string(what) + " uses payload " + std::to_string(id.value) +
            (id.value < next_ ? " after its release" : ", which never was"));
    return {};
}

SimPayload SimPayloads::take(PayloadId id, const char* what) {
    SimPayload payload = get(id, what);
    payloads_.erase(id);
    return payload;
}

void SimPayloads::drop(PayloadId id) { take(id, "DropPayload"); }

void SimPayloads::allocate(PayloadId id) {
    const auto found = payloads_.find(id);
    if (found == payloads_.end()) return static_cast<void>(get(id, "ExpectFrames"));
    if (!found->second.filled.empty()) return violate("ExpectFrames for frames that are there");
    found->second.filled.assign(found->second.large.size(), 0);
}

void SimPayloads::store_chunk(PayloadId chunk, PayloadId into, std::uint16_t frame,
                              std::uint64_t offset) {
    const SimPayload piece = take(chunk, "StoreChunk");
    const auto found = payloads_.find(into);
    if (found == payloads_.end()) return static_cast<void>(get(into, "StoreChunk"));
    SimPayload& whole = found->second;
    if (piece.kind != SimPayload::Kind::chunk) return violate("StoreChunk of what is no chunk");
    if (piece.call != whole.call) return violate("a chunk of another call is stored");
    if (frame >= whole.filled.size()) return violate("StoreChunk into a frame that is not there");
    if (whole.large[frame].tensor != piece.tensor || piece.offset != offset ||
        whole.filled[frame] != offset || offset + piece.length > whole.large[frame].size_bytes) {
        return violate("a chunk is stored out of order or in the wrong place");
    }
    whole.filled[frame] += piece.length;
}

SimPayload SimPayloads::cut(const TransmitChunk& what, const Chunking& chunking) {
    const SimPayload whole = get(what.payload, "TransmitChunk");
    const bool fits = what.frame < whole.filled.size() &&
                      whole.large[what.frame].tensor == what.tensor && what.length > 0 &&
                      what.offset + what.length <= whole.filled[what.frame];
    if (!fits) violate("TransmitChunk cuts bytes that are not there");
    if (fits && what.length > chunking.largest_chunk(whole.large[what.frame].size_bytes)) {
        violate("TransmitChunk cuts more than a chunk of this link may be");
    }
    SimPayload piece;
    piece.kind = SimPayload::Kind::chunk;
    piece.call = whole.call;
    piece.tensor = what.tensor;
    piece.offset = what.offset;
    piece.length = what.length;
    return piece;
}

std::string SimPayloads::describe() const {
    static constexpr const char* names[] = {"inputs", "outputs", "chunk"};
    std::string text;
    for (const auto& [id, payload] : payloads_) {
        text += " " + std::to_string(id.value) + "=" + names[static_cast<int>(payload.kind)] +
                " of call " + short_hex(payload.call);
    }
    return text;
}

}  // namespace farm::sim
