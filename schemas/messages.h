#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/ids.h"
#include "schemas/limits.h"
#include "schemas/service.h"
#include "schemas/tensor.h"

/// The verbs of the protocol as plain structs; schemas/wire.md has their bytes, limits and states.
/// Members marked [rim] never travel: the rim fills them on arrival and reads them on departure.
namespace farm {

enum class RefusedReason : std::uint8_t {
    unknown_session,   ///< a message came before HELLO, or after the session ended
    protocol_version,  ///< no version in common
    old_epoch,         ///< a newer process of the same peer has registered
    unauthorized,
    too_many_sessions,
    malformed,  ///< the message broke a rule of wire.md
    draining,
};
std::string_view to_string(RefusedReason reason);

inline constexpr std::uint16_t protocol_version = 1;

enum class Role : std::uint8_t { client, worker, broker, admin };
std::string_view to_string(Role role);

/// How one attempt ended.
enum class Outcome : std::uint8_t {
    ok,
    not_started,      ///< never reached a device: sending it again is always safe
    input_error,      ///< the call is wrong; it would fail anywhere
    retryable_fault,  ///< failed for a reason that another worker may not have
    device_fault,     ///< the device or backend failed
    lost,             ///< the worker vanished; the attempt may have run
};
std::string_view to_string(Outcome outcome);

/// Why, when it did not end `ok`.
enum class Reason : std::uint8_t {
    none,
    no_service,  ///< nobody offers it, and the grace time is over
    overloaded,  ///< a queue is full; see retry_after_ms
    deadline,    ///< expired before it reached a device
    cancelled,
    too_large,  ///< inputs or result pass a limit
    bad_input,  ///< tensors do not match the signature
    unauthorized,
    draining,  ///< the worker or broker is leaving
    worker_lost,
    backend_error,  ///< the backend raised an error
    run_overdue,    ///< the run took longer than max(30 s, 10 x expected)
    duplicate,      ///< this call id is already open in another session
};
std::string_view to_string(Reason reason);

/// Where the time of an attempt went, as the worker measured it.
struct Timings {
    std::uint64_t queue_ns{0};
    std::uint64_t input_ns{0};
    std::uint64_t compute_ns{0};
    std::uint64_t output_ns{0};
    std::uint32_t run_rows{0};   ///< rows of the run that it was part of
    std::uint32_t run_calls{0};  ///< calls of that run

    friend bool operator==(const Timings&, const Timings&) = default;
};

// ---- sessions ---------------------------------------------------------------------------------

/// First message on a fresh socket; after a break the same peer and epoch list what is open.
struct Hello {
    std::uint16_t protocol_min{protocol_version};
    std::uint16_t protocol_max{protocol_version};
    Role role{Role::client};
    PeerId peer;
    std::uint64_t epoch{0};  ///< grows with every start of the same peer
    std::string name;        ///< for people: host and process
    std::string token;
    std::vector<CallKey> open;

    friend bool operator==(const Hello&, const Hello&) = default;
};

struct Welcome {
    std::uint16_t protocol{protocol_version};
    SessionId session;
    PeerId broker;
    std::uint64_t broker_epoch{0};
    std::string broker_name;
    Timing timing;
    std::string bulk_url;  ///< where ATTACH goes
    Secret bulk_secret;
    std::vector<CallKey> known;  ///< of Hello::open, those the broker still has
    std::uint64_t max_call_bytes{limits::call_bytes};

    friend bool operator==(const Welcome&, const Welcome&) = default;
};

struct Refused {
    RefusedReason reason{RefusedReason::malformed};
    std::string detail;

    friend bool operator==(const Refused&, const Refused&) = default;
};

/// First message on the bulk socket; the broker sends it back when the socket is bound.
struct Attach {
    SessionId session;
    Secret secret;

    friend bool operator==(const Attach&, const Attach&) = default;
};

struct Goodbye {
    std::string reason;
    friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

// ---- registration and credit ------------------------------------------------------------------

/// Adds or replaces services by index. Several messages may follow one another (paging).
struct Advertise {
    std::vector<ServiceAd> services;
    Secret lease_key;        ///< seals the leases that this broker gives out; none: no direct path
    std::string worker_key;  ///< CURVE public key of its direct address, Z85; empty without CURVE
    std::string same_host;   ///< schemas/same_host.h; empty: not to be called so

    friend bool operator==(const Advertise&, const Advertise&) = default;
};

struct Withdraw {
    std::vector<ServiceIndex> services;
    friend bool operator==(const Withdraw&, const Withdraw&) = default;
};

struct ServiceWindow {
    ServiceIndex service;
    std::uint32_t request_count{0};

    friend bool operator==(const ServiceWindow&, const ServiceWindow&) = default;
};

/// Absolute window: how much the broker may have outstanding (sent, RESULT not yet received) at
/// this worker in this session. Replaces the one before it; void after Timing::suspect_after().
struct Credit {
    std::uint64_t sequence{0};
    std::uint64_t device_bytes{0};
    std::vector<ServiceWindow> windows;
    std::uint64_t clock_ms{0};  ///< of the worker, now; a lease expires by this clock

    friend bool operator==(const Credit&, const Credit&) = default;
};

/// Broker's queue length for one of the worker's services, so that it can move its window.
struct QueueDepth {
    ServiceIndex service;
    std::uint32_t queued_count{0};

    friend bool operator==(const QueueDepth&, const QueueDepth&) = default;
};

/// What the driver says of a worker's device now, all processes on it together.
struct DeviceUse {
    static constexpr std::uint8_t unknown_percent = 101;

    std::uint64_t memory_bytes{0};  ///< 0: nothing is known, as of a CPU
    std::uint64_t memory_used_bytes{0};
    std::uint8_t busy_percent{unknown_percent};  ///< time with a kernel; a MIG slice does not tell

    friend bool operator==(const DeviceUse&, const DeviceUse&) = default;
};

struct Beat {
    std::uint64_t credit_sequence{0};  ///< worker: latest sent; broker: latest received
    std::uint64_t result_sequence{0};  ///< broker: latest RESULT received from this worker
    std::uint64_t foreign_backlog_ns{
        0};                          ///< worker: expected device time of calls of other brokers
    std::vector<CallKey> running;    ///< worker: calls in the runs under way
    std::vector<QueueDepth> depths;  ///< broker
    DeviceUse device;                ///< worker

    friend bool operator==(const Beat&, const Beat&) = default;
};

// ---- calls ------------------------------------------------------------------------------------

/// The routing header of one attempt: the only part of a call that a broker reads.
struct Call {
    CallKey key;
    std::string service;            ///< "model" (highest version offered) or "model/version"
    std::uint32_t remaining_ms{0};  ///< until the deadline; re-stamped at each hop
    std::uint8_t priority{100};     ///< smaller is served first
    bool suspect{false};            ///< was running when a worker died: runs alone
    SessionId avoid;                ///< worker session of the attempt before, as its RESULT told
    bool chunked{false};            ///< large: bytes follow as CHUNK after SEND
    std::uint32_t rows{1};
    std::uint64_t input_bytes{0};       ///< all tensor bytes
    std::uint64_t streamed_bytes{0};    ///< of these, what will come as CHUNKs
    std::uint64_t max_result_bytes{0};  ///< 0: as the signature says
    std::uint32_t body_bytes{0};        ///< its share of the bodies
    std::uint16_t frame_count{0};       ///< its share of frames 2..n
    PayloadId payload;                  ///< [rim]

    friend bool operator==(const Call&, const Call&) = default;
};

struct Answer {  // RESULT on the wire
    CallKey key;
    Outcome outcome{Outcome::ok};
    Reason reason{Reason::none};
    bool was_running{false};  ///< with `lost`: it was in the run when the worker died
    bool repeatable{true};    ///< the service is idempotent: a started attempt may be repeated
    SessionId worker;         ///< broker to client: whose answer it is, for Call::avoid
    bool chunked{false};
    std::string detail;
    std::uint32_t retry_after_ms{0};
    std::uint64_t sequence{0};  ///< worker to broker: acknowledged by Beat::result_sequence
    Timings timings;
    std::uint64_t output_bytes{0};    ///< all tensor bytes
    std::uint64_t streamed_bytes{0};  ///< of these, what will come as CHUNKs
    std::uint32_t body_bytes{0};
    std::uint16_t frame_count{0};
    PayloadId payload;  ///< [rim]

    friend bool operator==(const Answer&, const Answer&) = default;
};

/// The receiver of chunks has room for all bytes below `granted_bytes` of this transfer's stream
/// (its tensors of more than limits::inline_tensor_bytes, one after the other). Absolute.
struct Send {
    CallKey key;
    std::uint64_t granted_bytes{0};

    friend bool operator==(const Send&, const Send&) = default;
};

/// One piece of a large tensor, in order; its bytes are one frame of the message.
struct Chunk {
    CallKey key;
    std::uint16_t tensor{0};  ///< index in the body's descriptors
    std::uint64_t offset{0};  ///< in that tensor
    std::uint32_t length{0};  ///< at least 1, at most by Chunking
    PayloadId payload;        ///< [rim]

    friend bool operator==(const Chunk&, const Chunk&) = default;
};

struct Started {
    std::vector<CallKey> calls;
    friend bool operator==(const Started&, const Started&) = default;
};

struct Cancel {
    CallId id;
    friend bool operator==(const Cancel&, const Cancel&) = default;
};

// ---- direct path ------------------------------------------------------------------------------

/// Asks for leases. One that the client has already is renewed under its number.
struct Resolve {
    std::string service;
    std::uint16_t worker_count{1};
    std::uint64_t bytes_per_call{0};    ///< inputs of one call
    std::uint32_t request_count{1};     ///< calls that the client means to have in flight, in all
    std::uint64_t max_result_bytes{0};  ///< as in CALL
    std::string host;                   ///< schemas/same_host.h; empty: calls nobody on its host

    friend bool operator==(const Resolve&, const Resolve&) = default;
};

/// The right to have `request_count` calls and `device_bytes` at this worker until it expires.
struct LeaseGrant {
    std::string url;         ///< empty: only by same_host
    std::string worker_key;  ///< CURVE public key, Z85; empty without CURVE
    std::uint64_t lease{0};
    std::uint32_t request_count{0};
    std::uint64_t device_bytes{0};
    std::uint32_t valid_ms{0};    ///< from arrival
    std::string mac;              ///< 32 bytes: seal() of schemas/lease.h
    std::uint64_t expires_ms{0};  ///< by the worker's clock, as its CREDIT told
    std::string tenant;
    SessionId worker;       ///< the worker's session with the broker, for Call::avoid
    std::string same_host;  ///< of a worker on the client's host; empty: it is elsewhere

    friend bool operator==(const LeaseGrant&, const LeaseGrant&) = default;
};

/// Broker to client: the answer to RESOLVE; no grants: stay on the routed path.
/// Client to worker: presents one grant. Worker to client: the grant again, accepted, or none.
struct Lease {
    std::string service;
    std::vector<LeaseGrant> grants;

    friend bool operator==(const Lease&, const Lease&) = default;
};

// ---- looking at the farm ----------------------------------------------------------------------

/// `cursor` is 0 for the first page, then what the last answer's `next` said.
struct List {
    std::uint64_t cursor{0};
    std::string model;  ///< empty: all
    friend bool operator==(const List&, const List&) = default;
};

struct CatalogEntry {
    ServiceAd service;  ///< index and cost are the first worker's
    std::uint32_t worker_count{0};

    friend bool operator==(const CatalogEntry&, const CatalogEntry&) = default;
};

struct Catalog {  // answer to LIST
    std::vector<CatalogEntry> entries;
    std::uint64_t next{0};  ///< 0: no more

    friend bool operator==(const Catalog&, const Catalog&) = default;
};

struct Status {
    std::uint64_t cursor{0};
    friend bool operator==(const Status&, const Status&) = default;
};

struct WorkerStatus {
    std::string name;
    std::string device_name;
    std::string state;  ///< "ready", "suspect", "detached", "draining"
    std::uint32_t outstanding_count{0};
    std::uint64_t outstanding_bytes{0};
    std::uint64_t done_count{0};
    std::uint64_t failed_count{0};
    std::uint64_t backlog_ns{0};
    std::uint32_t heard_ms_ago{0};
    DeviceUse device;

    friend bool operator==(const WorkerStatus&, const WorkerStatus&) = default;
};

struct ServiceStatus {
    std::string name;  ///< model/version
    std::string worker;
    std::string backend;
    std::string failure;  ///< why it did not load; empty when it serves
    std::uint32_t window_count{0};
    std::uint32_t outstanding_count{0};
    std::uint64_t done_count{0};
    std::uint64_t row_ns{0};  ///< learned device time per row
    bool ejected{false};
    std::vector<CostPoint> cost;  ///< as the worker measured it, most recently advertised

    friend bool operator==(const ServiceStatus&, const ServiceStatus&) = default;
};

struct QueueStatus {
    std::string service;
    std::uint32_t queued_count{0};
    std::uint64_t queued_bytes{0};
    std::uint32_t oldest_ms{0};

    friend bool operator==(const QueueStatus&, const QueueStatus&) = default;
};

struct BrokerStatus {
    std::string name;
    std::string version;
    std::uint64_t uptime_ms{0};
    std::uint32_t client_count{0};
    std::uint32_t worker_count{0};
    std::uint64_t accepted_count{0};
    std::uint64_t answered_ok_count{0};
    std::uint64_t answered_other_count{0};
    std::uint64_t refused_count{0};
    std::uint64_t queued_bytes{0};
    bool draining{false};

    friend bool operator==(const BrokerStatus&, const BrokerStatus&) = default;
};

struct StatusReport {  // answer to STATUS
    BrokerStatus broker;
    std::vector<WorkerStatus> workers;
    std::vector<ServiceStatus> services;
    std::vector<QueueStatus> queues;
    std::uint64_t next{0};

    friend bool operator==(const StatusReport&, const StatusReport&) = default;
};

/// From a worker: it takes no more. From an admin: `worker` names who shall drain ("" = the
/// broker).
struct Drain {
    std::string worker;
    friend bool operator==(const Drain&, const Drain&) = default;
};

/// The order is the wire's verb number, from 0: append only.
using Message = std::variant<Hello, Welcome, Refused, Attach, Goodbye, Advertise, Withdraw, Credit,
                             Beat, Call, Answer, Send, Chunk, Started, Cancel, Resolve, Lease, List,
                             Catalog, Status, StatusReport, Drain>;

/// "HELLO", "RESULT" (for Answer), "REPORT" (for StatusReport), ...
std::string_view verb_name(const Message& message);

/// The payload that came with a message; none when its verb has none.
PayloadId payload_of(const Message& message);

/// Whether this peer may send that verb at all; a broker refuses the rest as malformed.
bool may_send(Role sender, const Message& message);

// ---- bodies -----------------------------------------------------------------------------------

/// What `Call::body_bytes` of the bodies hold. `inline_data` is empty for a tensor that travels as
/// a frame or as chunks.
struct BodyTensor {
    TensorDesc desc;
    bool inlined{false};
    Buffer inline_data;
};

struct CallBody {
    std::vector<BodyTensor> tensors;
};

/// Rule 12: every reply says which worker, version and hash made it.
struct Provenance {
    std::string worker;
    std::string model;
    std::uint32_t version{0};
    ContentHash hash;

    friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct AnswerBody {
    std::vector<BodyTensor> tensors;
    Provenance made_by;
};

}  // namespace farm
