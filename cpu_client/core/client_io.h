#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/core/clock.h"
#include "cpu_client/core/direct_use.h"
#include "schemas/call_status.h"
#include "schemas/machine.h"

/// What goes into ClientMachine::step and what comes out of it.
namespace farm {

/// One new call. The machine owns the payload until the terminal status.
struct Submit {
    CallId id;            ///< random, chosen by the caller
    std::string service;  ///< "model" or "model/version"
    PayloadId payload;
    std::uint64_t input_bytes{0};
    std::uint32_t rows{1};
    std::vector<LargeTensor> large;  ///< not empty: it travels in chunks, frame i = large[i]
    TimePoint deadline;
    std::uint8_t priority{100};
    std::uint64_t max_result_bytes{0};
    bool idempotent{true};  ///< false: never sent again once it may have started
};

struct CancelCall {
    CallId id;
};

/// A RESULT after the rim has read its body.
struct AnswerArrived {
    LinkId link;
    Answer answer;
    std::vector<LargeTensor> large;  ///< of a chunked answer
};

/// LIST, STATUS, DRAIN or RESOLVE for the broker in use; answered by Reply or, at the deadline or
/// without a broker, by an empty one.
struct Ask {
    std::uint64_t ticket{0};
    Message question;
    TimePoint deadline;
};

/// Cancel what is open, say goodbye, close. Later calls and questions end at once.
struct Shutdown {};

using ClientInput = std::variant<Tick, LinkOpened, LinkLost, Received, AnswerArrived, Submit,
                                 CancelCall, Ask, Shutdown>;

/// The one terminal status of a call. `payload` (the packed answer, or none) passes to the rim.
struct Complete {
    CallId id;
    CallStatus status{CallStatus::ok};
    std::string detail;
    std::uint32_t retry_after_ms{0};
    std::uint8_t attempts{1};
    Timings timings;
    PayloadId payload;
};

struct Reply {
    std::uint64_t ticket{0};
    std::optional<Message> answer;  ///< none: see problem
    std::string problem;
};

/// Write the inputs of a POISON call to the quarantine folder; its Complete follows. The payload
/// passes to the rim.
struct Quarantine {
    CallId id;
    std::string service;
    PayloadId payload;
    std::string detail;
};

/// Connect to a worker that gave its address to a broker (direct path). A link with the
/// same_host_bit is within this host.
struct OpenDirect {
    LinkId link;
    std::string url;         ///< within this host: the name of the socket
    std::string worker_key;  ///< CURVE public key, Z85; empty without CURVE
};

using ClientEffect =
    std::variant<OpenLink, OpenDirect, OpenBulk, CloseLink, Transmit, TransmitChunk, ExpectFrames,
                 StoreChunk, DropPayload, Complete, Reply, Quarantine, Note>;
using ClientEffects = std::vector<ClientEffect>;

struct ClientOptions {
    PeerId peer;
    std::uint64_t epoch{0};
    std::string name;
    std::string token;
    Role role{Role::client};             ///< admin: for DRAIN of others
    std::vector<std::string> addresses;  ///< 1..limits::broker_count of them
    BackOff back_off;
    Duration give_up_after{std::chrono::seconds(10)};  ///< no broker for so long: UNAVAILABLE
    DirectUse direct{DirectUse::automatic};
    std::string host;       ///< schemas/same_host.h; empty: nobody is called within this host
    std::uint64_t seed{1};  ///< of the jitter and of the first broker chosen
};

}  // namespace farm
