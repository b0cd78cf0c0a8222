#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/core/ids.h"
#include "common/core/transfer.h"
#include "schemas/machine.h"
#include "schemas/messages.h"
#include "tests/sim/verdict.h"

namespace farm::sim {

/// What stands for the bytes of a call, an answer or a chunk: whose they are and how many.
struct SimPayload {
    enum class Kind : std::uint8_t { inputs, outputs, chunk };
    Kind kind{Kind::inputs};
    CallId call;
    std::vector<LargeTensor> large;     ///< as the body describes them
    std::vector<std::uint64_t> filled;  ///< bytes present per frame; empty: no frames (yet)
    std::uint16_t tensor{0};            ///< of a chunk
    std::uint64_t offset{0};
    std::uint32_t length{0};

    bool complete() const;
};

/// The [rim] payload member of a message; null for verbs without one.
PayloadId* payload_member(Message& message);

/// A rim's PayloadStore that keeps account: an id that is used after its release, released twice,
/// or assembled out of order is a violation (ARCHITECTURE.md, "Payloads").
class SimPayloads {
  public:
    SimPayloads(Verdict& verdict, std::string owner)
        : verdict_(verdict), owner_(std::move(owner)) {}

    PayloadId add(SimPayload payload);
    /// A copy of what is there; a violation (and an empty one) when it is not.
    SimPayload get(PayloadId id, const char* what);
    SimPayload take(PayloadId id, const char* what);
    void drop(PayloadId id);
    void allocate(PayloadId id);
    void store_chunk(PayloadId chunk, PayloadId into, std::uint16_t frame, std::uint64_t offset);
    /// What TransmitChunk cuts out, for a link with such chunks.
    SimPayload cut(const TransmitChunk& piece, const Chunking& chunking);
    std::size_t count() const { return payloads_.size(); }
    std::string describe() const;

  private:
    void violate(const std::string& text);

    Verdict& verdict_;
    std::string owner_;
    std::map<PayloadId, SimPayload> payloads_;
    std::uint64_t next_{1};
};

}  // namespace farm::sim
