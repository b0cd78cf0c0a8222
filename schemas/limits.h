#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of the system, in one place (rule 2: nothing is unbounded).
/// Sizes end in _bytes, counts in _count. schemas/wire.md quotes these; a test compares the two.
namespace farm::limits {

// One message on the wire.
inline constexpr std::size_t header_bytes = 64 * 1024;       ///< frame 0
inline constexpr std::size_t body_bytes = 1024 * 1024;       ///< bodies of a message
inline constexpr std::size_t joined_bytes = 8 * 1024;        ///< frame 0 with bodies behind it
inline constexpr std::size_t frame_bytes = 2 * 1024 * 1024;  ///< any frame (ZMQ_MAXMSGSIZE)
inline constexpr std::size_t direct_frame_bytes =
    16 * 1024 * 1024;                                           ///< but between client and worker
inline constexpr std::size_t frame_count = 256;                 ///< frames of one message
inline constexpr std::size_t item_count = 256;                  ///< protocol items in frame 0
inline constexpr std::size_t inline_tensor_bytes = 1024;        ///< above: a frame of its own
inline constexpr std::uint64_t small_call_bytes = 1024 * 1024;  ///< above: a large call, in chunks
inline constexpr std::size_t chunk_bytes = 1024 * 1024;

// msgpack in the header, or in a body.
inline constexpr std::size_t msgpack_depth = 8;
inline constexpr std::size_t msgpack_element_count = 32 * 1024;  ///< nodes of one
inline constexpr std::size_t msgpack_container_count = 4096;     ///< entries of one array or map
inline constexpr std::size_t string_bytes = 4096;

// Names and descriptions.
inline constexpr std::size_t name_bytes = 128;     ///< peers, models, tensors, labels, tenants
inline constexpr std::size_t detail_bytes = 1024;  ///< error text in a RESULT or REFUSED
inline constexpr std::size_t token_bytes = 1024;
inline constexpr std::size_t url_bytes = 256;
inline constexpr std::size_t tensor_count = 64;  ///< tensors of one call or result
inline constexpr std::size_t tensor_rank = 16;
inline constexpr std::size_t label_count = 16;
inline constexpr std::size_t cost_point_count = 16;
inline constexpr std::size_t page_bytes = 48 * 1024;  ///< of the entries of one page, at most
inline constexpr std::size_t page_entry_count = 64;   ///< entries of one ADVERTISE, CATALOG, REPORT

// Calls.
inline constexpr std::uint64_t call_bytes = 4ULL << 30;  ///< inputs of one call
inline constexpr std::uint64_t default_result_bytes = 64ULL << 20;
inline constexpr std::uint8_t attempt_count = 3;
inline constexpr std::size_t open_calls_per_session_count = 2048;
inline constexpr std::size_t chunk_window_count = 4;  ///< unanswered chunks of one transfer
inline constexpr std::uint64_t direct_window_bytes = 32ULL << 20;     ///< the same without a broker
inline constexpr std::size_t waiting_calls_per_client_count = 65536;  ///< inside one client library
inline constexpr std::uint64_t waiting_bytes_per_client = 2ULL << 30;
inline constexpr auto longest_deadline = std::chrono::hours(24);

// A broker.
inline constexpr std::size_t session_count = 120'000;
inline constexpr std::size_t direct_session_count = 4096;  ///< of one worker
inline constexpr std::size_t service_count = 10'000;
inline constexpr std::size_t services_per_worker_count = 1024;
inline constexpr std::size_t tenant_count = 1024;
inline constexpr std::size_t queued_calls_per_service_count = 65'536;
inline constexpr std::uint64_t queued_bytes = 2ULL << 30;  ///< all queues together
inline constexpr std::size_t tombstone_count = 4096;       ///< cancels seen before their call

// A worker.
inline constexpr std::size_t kept_result_count = 1024;  ///< results not yet acknowledged
inline constexpr std::uint64_t kept_result_bytes = 256ULL << 20;
inline constexpr std::size_t remembered_call_count = 4096;  ///< for dropping duplicates
inline constexpr std::size_t broker_count = 16;             ///< brokers of one worker or client

// The same host: packets of a Unix socket, tensors in shared memory.
inline constexpr std::size_t packet_bytes = 64 * 1024;
inline constexpr std::size_t packet_inline_bytes = 32 * 1024;  ///< of frames inside one packet
inline constexpr std::size_t packet_return_count = 1024;       ///< loans given back by one packet
inline constexpr std::size_t unsent_packet_count = 4096;       ///< for a peer that does not read
inline constexpr std::size_t region_count = 1024;              ///< of one process
inline constexpr std::uint64_t shared_memory_bytes = 16ULL << 30;  ///< of one process
/// Of a worker's memory, held by one client as answers; what is beyond it is copied.
inline constexpr std::uint64_t held_answer_bytes = 256ULL << 20;

// Sockets. Windows are kept below these, so a full pipe is a protocol error (rule 5).
inline constexpr int high_water_mark_count = 16'384;  ///< messages per pipe

}  // namespace farm::limits

namespace farm {

/// Intervals that the broker decides and WELCOME hands out.
struct Timing {
    std::chrono::milliseconds beat{1000};
    std::uint8_t suspect_beats{2};  ///< silence after which a peer's window is void
    std::uint8_t lost_beats{4};     ///< silence after which a peer is lost

    std::chrono::milliseconds suspect_after() const { return beat * suspect_beats; }
    std::chrono::milliseconds lost_after() const { return beat * lost_beats; }
    friend bool operator==(const Timing&, const Timing&) = default;
};

/// Reconnecting: first pause and longest pause between two tries at one address.
struct BackOff {
    std::chrono::milliseconds first{50};
    std::chrono::milliseconds longest{2000};
    std::chrono::milliseconds connect_timeout{2000};  ///< from OpenLink to WELCOME
};

/// Rule 10: how long a call for a service that nobody offers waits.
inline std::chrono::milliseconds no_service_grace(const Timing& timing, const BackOff& back_off) {
    return 2 * back_off.longest + timing.beat;
}

inline constexpr auto default_deadline = std::chrono::seconds(60);

}  // namespace farm
