#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/core/clock.h"
#include "common/core/error.h"
#include "schemas/machine.h"

/// What goes into and comes out of the WorkerMachine. Inputs and effects that it shares with the
/// other machines are in schemas/machine.h.
namespace farm {

/// A CALL, of a broker or (on the direct path) of a client, after the rim has read its body and
/// checked it against the service's signature.
struct CallArrived {
    LinkId link;
    Call call;
    ServiceIndex service;          ///< none: this worker does not serve that name
    std::optional<Error> problem;  ///< the inputs break the signature
    std::uint32_t rows{1};
    std::uint64_t shape_class{0};    ///< calls with equal classes may share a run
    std::vector<LargeTensor> large;  ///< of a chunked call
};

/// What became of one call of a run; the payload holds the packed answer.
struct RunCallResult {
    Outcome outcome{Outcome::ok};
    Reason reason{Reason::none};
    std::string detail;
    PayloadId payload;
    std::uint64_t output_bytes{0};
    std::uint64_t small_bytes{0};    ///< body + frames, when it can travel in one message
    std::vector<LargeTensor> large;  ///< tensors above limits::inline_tensor_bytes
};

/// How long one slice of a run kept its instance busy.
struct SliceTime {
    std::uint32_t rows{1};
    Duration took{0};
};

struct RunFinished {
    RunId run;
    Timings timings;                   ///< queue_ns is filled in by the machine
    std::vector<RunCallResult> calls;  ///< in the order of StartRun
    std::vector<SliceTime> slices;     ///< of a run that ended well, as it was made
};

/// A model is loaded and warmed up (or failed: ad.failure says why).
struct ModelReady {
    ServiceAd ad;  ///< the index is chosen by the rim, for ever, from 1
    std::vector<std::uint32_t> preferred_rows;
    Duration max_queue_delay{0};
    /// Runs end before anything is sent: nobody could hear that one has begun.
    bool runs_inline{false};
};

struct SelfTestFinished {
    ServiceIndex service;
    bool passed{false};
};

/// What the driver says of the device; the next BEATs tell it.
struct DeviceSeen {
    DeviceUse use;
};

/// Nothing runs on the device any more, until the process is started again. What was running there
/// is still answered by RunFinished.
struct DeviceLost {
    std::string why;
};

using WorkerInput =
    std::variant<Tick, LinkOpened, LinkLost, Received, Malformed, CallArrived, RunFinished,
                 ModelReady, SelfTestFinished, DeviceSeen, DeviceLost, DrainRequested>;

struct RunCall {
    CallKey key;
    PayloadId payload;
    std::uint32_t rows{1};
};

/// Give these calls to instance `instance` of the service. The rim takes over the payloads and
/// answers with exactly one RunFinished.
struct StartRun {
    RunId run;
    ServiceIndex service;
    std::uint32_t instance{0};
    std::vector<RunCall> calls;
    /// Rows of the runs of the backend that this one is made of, in their order: those of its only
    /// call, whose outputs are put together again. Empty: all rows of all calls at once.
    std::vector<std::uint32_t> slices;
    TimePoint expires;  ///< nobody waits any more: no further slice need begin
};

/// Run the warm-up sample once and report SelfTestFinished.
struct StartSelfTest {
    ServiceIndex service;
};

/// Drained: everything is answered and said; the process may leave with exit code 0.
struct Finished {};

using WorkerEffect =
    std::variant<OpenLink, OpenBulk, BindBulk, CloseLink, Transmit, TransmitChunk, ExpectFrames,
                 StoreChunk, DropPayload, StartRun, StartSelfTest, Finished, Note>;
using WorkerEffects = std::vector<WorkerEffect>;

/// The worker's clock as CREDIT tells it and leases expire by it.
inline std::uint64_t milliseconds_of(TimePoint now) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
}

struct WorkerOptions {
    PeerId peer;
    std::uint64_t epoch{0};
    std::string name;
    std::string token;
    std::uint16_t broker_count{1};           ///< addresses, at most limits::broker_count
    std::uint64_t device_bytes{4ULL << 30};  ///< inputs + results outstanding, all brokers together
    std::string direct_url;                  ///< where clients may connect; empty: no such address
    std::string direct_bulk_url;             ///< for their bulk sockets
    std::string direct_key;                  ///< CURVE public key of both, Z85; empty without CURVE
    std::string same_host;                   ///< schemas/same_host.h; empty: not to be called so
    Timing direct_timing;                    ///< of sessions with clients
    BackOff back_off;

    bool offers_direct_path() const { return !direct_url.empty() || !same_host.empty(); }
    std::uint64_t seed{1};  ///< of jitter and secrets: random in a program, fixed in a test
};

}  // namespace farm
