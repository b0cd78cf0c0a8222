#pragma once

#include <chrono>
#include <cstdint>

#include "common/wire/field_rules.h"
#include "schemas/messages.h"

/// Every field of every verb, once, for both directions: key, name, member, rule. wire.md has the
/// same tables and a test compares them. A is FieldReader, FieldWriter or a test's lister; a writer
/// only reads the members. Keys are append-only: never give a key another meaning.
namespace farm {

inline constexpr std::size_t key_list_count = limits::open_calls_per_session_count;
inline constexpr std::uint64_t longest_ms =
    std::chrono::duration_cast<std::chrono::milliseconds>(limits::longest_deadline).count();

template <class A>
void fields(A& a, Hello& m) {
    a.number(0, "protocol_min", m.protocol_min, {.fallback = 1, .low = 1});
    a.number(1, "protocol_max", m.protocol_max, {.fallback = 1, .low = 1});
    a.choice(2, "role", m.role, Role::client, Role::admin);
    a.id(3, "peer", m.peer);
    a.number(4, "epoch", m.epoch);
    a.text(5, "name", m.name, TextKind::name);
    a.text(6, "token", m.token, TextKind::token);
    a.call_keys(7, "open", m.open, key_list_count);
    a.check(m.protocol_min <= m.protocol_max, "protocol_max", "is below protocol_min");
}

template <class A>
void fields(A& a, Welcome& m) {
    auto beat_ms = static_cast<std::uint32_t>(m.timing.beat.count());
    a.number(0, "protocol", m.protocol, {.fallback = 1, .low = 1});
    a.number_id(1, "session", m.session);
    a.id(2, "broker", m.broker);
    a.number(3, "broker_epoch", m.broker_epoch);
    a.text(4, "broker_name", m.broker_name, TextKind::name);
    a.number(5, "beat_ms", beat_ms, {.fallback = 1000, .low = 1, .high = 60'000});
    a.number(6, "suspect_beats", m.timing.suspect_beats, {.fallback = 2, .low = 1});
    a.number(7, "lost_beats", m.timing.lost_beats, {.fallback = 4, .low = 1});
    a.text(8, "bulk_url", m.bulk_url, TextKind::url);
    a.id(9, "bulk_secret", m.bulk_secret);
    a.call_keys(10, "known", m.known, key_list_count);
    a.number(11, "max_call_bytes", m.max_call_bytes,
             {.fallback = limits::call_bytes, .high = limits::call_bytes});
    a.check(m.timing.suspect_beats <= m.timing.lost_beats, "lost_beats", "is below suspect_beats");
    if constexpr (A::reads) m.timing.beat = std::chrono::milliseconds(beat_ms);
}

template <class A>
void fields(A& a, Refused& m) {
    a.required_choice(0, "reason", m.reason, RefusedReason::draining);
    a.text(1, "detail", m.detail, TextKind::text);
}

template <class A>
void fields(A& a, Attach& m) {
    a.number_id(0, "session", m.session);
    a.id(1, "secret", m.secret);
}

template <class A>
void fields(A& a, Goodbye& m) {
    a.text(0, "reason", m.reason, TextKind::text);
}

// ---- registration and credit ------------------------------------------------------------------

template <class A>
void fields(A& a, TensorSpec& m) {
    a.text(0, "name", m.name, TextKind::identifier, Presence::required);
    a.number(1, "code", m.type.code, {.fallback = DType::floating});
    a.number(2, "bits", m.type.bits, {.fallback = 32});
    a.dimensions(3, "dims", m.dims);
    a.flag(4, "optional", m.optional, false);
    a.number(5, "lanes", m.type.lanes, {.fallback = 1});
    a.check_type(m.type);
}

template <class A>
void fields(A& a, Label& m) {
    a.text(0, "key", m.key, TextKind::identifier, Presence::required);
    a.text(1, "value", m.value, TextKind::identifier);
}

template <class A>
void fields(A& a, CostPoint& m) {
    a.number(0, "rows", m.rows, {.fallback = 1, .low = 1});
    a.number(1, "nanoseconds", m.nanoseconds, {.high = longest_device_ns});
}

inline bool rows_ascend(const std::vector<CostPoint>& curve) {
    for (std::size_t i = 1; i < curve.size(); ++i) {
        if (curve[i].rows <= curve[i - 1].rows) return false;
    }
    return true;
}

template <class A>
void fields(A& a, ServiceAd& m) {
    a.number_id(0, "index", m.index);
    a.text(1, "model", m.model, TextKind::model, Presence::required);
    a.number(2, "version", m.version, {.fallback = 1, .low = 1});
    a.flag(3, "latest", m.latest, true);
    a.bytes(4, "hash", m.hash.bytes);
    a.list(5, "inputs", m.signature.inputs, limits::tensor_count);
    a.list(6, "outputs", m.signature.outputs, limits::tensor_count);
    a.choice(7, "batch", m.batch, BatchRule::none, BatchRule::ragged);
    a.number(8, "max_batch_rows", m.max_batch_rows);
    a.number(9, "instance_count", m.instance_count, {.fallback = 1});
    a.choice(10, "device", m.device, DeviceKind::cpu, DeviceKind::cuda);
    a.text(11, "device_name", m.device_name, TextKind::name);
    a.text(12, "backend", m.backend, TextKind::name);
    a.list(13, "labels", m.labels, limits::label_count);
    a.list(14, "cost", m.cost, limits::cost_point_count);
    a.number(15, "max_call_bytes", m.max_call_bytes,
             {.fallback = limits::call_bytes, .high = limits::call_bytes});
    a.number(16, "max_result_bytes", m.max_result_bytes,
             {.fallback = limits::default_result_bytes, .high = limits::call_bytes});
    a.flag(17, "idempotent", m.idempotent, true);
    a.text(18, "direct_url", m.direct_url, TextKind::url);
    a.text(19, "failure", m.failure, TextKind::text);
    a.check(rows_ascend(m.cost), "cost", "has points whose rows do not ascend");
}

template <class A>
void fields(A& a, Advertise& m) {
    a.list(0, "services", m.services, limits::page_entry_count);
    a.bytes(1, "lease_key", m.lease_key.bytes);
    a.text(2, "worker_key", m.worker_key, TextKind::url);
    a.text(-1, "same_host", m.same_host, TextKind::url);
}

template <class A>
void fields(A& a, Withdraw& m) {
    a.indices(0, "services", m.services, limits::services_per_worker_count);
}

template <class A>
void fields(A& a, ServiceWindow& m) {
    a.number_id(0, "service", m.service);
    a.number(1, "request_count", m.request_count);
}

template <class A>
void fields(A& a, Credit& m) {
    a.number(0, "sequence", m.sequence);
    a.number(1, "device_bytes", m.device_bytes);
    a.list(2, "windows", m.windows, limits::services_per_worker_count);
    a.number(3, "clock_ms", m.clock_ms);
}

template <class A>
void fields(A& a, QueueDepth& m) {
    a.number_id(0, "service", m.service);
    a.number(1, "queued_count", m.queued_count);
}

template <class A>
void device_fields(A& a, DeviceUse& m) {
    constexpr std::uint64_t unknown = DeviceUse::unknown_percent;
    a.number(-1, "device_memory_bytes", m.memory_bytes);
    a.number(-2, "device_memory_used_bytes", m.memory_used_bytes);
    a.number(-3, "device_busy_percent", m.busy_percent, {.fallback = unknown, .high = unknown});
}

template <class A>
void fields(A& a, Beat& m) {
    a.number(0, "credit_sequence", m.credit_sequence);
    a.number(1, "result_sequence", m.result_sequence);
    a.number(2, "foreign_backlog_ns", m.foreign_backlog_ns, {.high = longest_device_ns});
    a.call_keys(3, "running", m.running, key_list_count);
    a.list(4, "depths", m.depths, limits::services_per_worker_count);
    device_fields(a, m.device);
}

// ---- calls ------------------------------------------------------------------------------------

template <class A>
void fields(A& a, Call& m) {
    a.call_key(0, "key", m.key);
    a.text(1, "service", m.service, TextKind::service, Presence::required);
    a.number(2, "remaining_ms", m.remaining_ms, {.high = longest_ms});
    a.number(3, "priority", m.priority, {.fallback = 100});
    a.flag(4, "suspect", m.suspect, false);
    a.flag(5, "chunked", m.chunked, false);
    a.number(6, "rows", m.rows, {.fallback = 1});
    a.number(7, "input_bytes", m.input_bytes, {.high = limits::call_bytes});
    a.number(8, "max_result_bytes", m.max_result_bytes, {.high = limits::call_bytes});
    a.number(9, "body_bytes", m.body_bytes, {.high = limits::body_bytes});
    a.number(10, "frame_count", m.frame_count, {.high = limits::tensor_count});
    a.number(11, "streamed_bytes", m.streamed_bytes, {.high = limits::call_bytes});
    a.number(12, "avoid", m.avoid.value);
    a.check(!m.chunked || m.frame_count == 0, "frame_count", "is not 0 with chunked");
    a.check(m.streamed_bytes <= (m.chunked ? m.input_bytes : 0), "streamed_bytes",
            "is above what chunked inputs have");
}

template <class A>
void fields(A& a, Answer& m) {
    a.call_key(0, "key", m.key);
    a.choice(1, "outcome", m.outcome, Outcome::ok, Outcome::lost);
    a.choice(2, "reason", m.reason, Reason::none, Reason::duplicate);
    a.flag(3, "was_running", m.was_running, false);
    a.flag(4, "chunked", m.chunked, false);
    a.text(5, "detail", m.detail, TextKind::text);
    a.number(6, "retry_after_ms", m.retry_after_ms, {.high = longest_ms});
    a.number(7, "sequence", m.sequence);
    a.number(8, "queue_ns", m.timings.queue_ns);
    a.number(9, "input_ns", m.timings.input_ns);
    a.number(10, "compute_ns", m.timings.compute_ns);
    a.number(11, "output_ns", m.timings.output_ns);
    a.number(12, "run_rows", m.timings.run_rows);
    a.number(13, "run_calls", m.timings.run_calls);
    a.number(14, "output_bytes", m.output_bytes, {.high = limits::call_bytes});
    a.number(15, "body_bytes", m.body_bytes, {.high = limits::body_bytes});
    a.number(16, "frame_count", m.frame_count, {.high = limits::tensor_count});
    a.number(17, "streamed_bytes", m.streamed_bytes, {.high = limits::call_bytes});
    a.number(18, "worker", m.worker.value);
    a.flag(19, "repeatable", m.repeatable, true);
    a.check(m.streamed_bytes <= (m.chunked ? m.output_bytes : 0), "streamed_bytes",
            "is above what chunked outputs have");
    a.check(!m.chunked || m.frame_count == 0, "frame_count", "is not 0 with chunked");
}

template <class A>
void fields(A& a, Send& m) {
    a.call_key(0, "key", m.key);
    a.number(1, "granted_bytes", m.granted_bytes, {.high = limits::call_bytes});
}

template <class A>
void fields(A& a, Chunk& m) {
    a.call_key(0, "key", m.key);
    a.number(1, "tensor", m.tensor, {.high = limits::tensor_count - 1});
    a.number(2, "offset", m.offset, {.high = limits::call_bytes});
    a.required_number(3, "length", m.length, {.low = 1, .high = limits::direct_frame_bytes});
    a.check(m.offset + m.length <= limits::call_bytes, "offset", "and length pass call_bytes");
}

template <class A>
void fields(A& a, Started& m) {
    a.call_keys(0, "calls", m.calls, key_list_count);
}

template <class A>
void fields(A& a, Cancel& m) {
    a.id(0, "id", m.id);
}

// ---- direct path ------------------------------------------------------------------------------

template <class A>
void fields(A& a, Resolve& m) {
    a.text(0, "service", m.service, TextKind::service, Presence::required);
    a.number(1, "worker_count", m.worker_count,
             {.fallback = 1, .low = 1, .high = limits::page_entry_count});
    a.number(2, "bytes_per_call", m.bytes_per_call, {.high = limits::call_bytes});
    a.number(3, "request_count", m.request_count, {.fallback = 1, .low = 1});
    a.number(4, "max_result_bytes", m.max_result_bytes, {.high = limits::call_bytes});
    a.text(-1, "host", m.host, TextKind::url);
}

template <class A>
void fields(A& a, LeaseGrant& m) {
    a.text(0, "url", m.url, TextKind::url);
    a.text(1, "worker_key", m.worker_key, TextKind::url);
    a.number(2, "lease", m.lease);
    a.number(3, "request_count", m.request_count);
    a.number(4, "device_bytes", m.device_bytes);
    a.number(5, "valid_ms", m.valid_ms, {.high = longest_ms});
    a.fixed_binary(6, "mac", m.mac, 32);
    a.number(7, "expires_ms", m.expires_ms);
    a.text(8, "tenant", m.tenant, TextKind::name);
    a.number(9, "worker", m.worker.value);
    a.text(-1, "same_host", m.same_host, TextKind::url);
    a.check(!m.url.empty() || !m.same_host.empty(), "url", "is empty, and so is same_host");
}

template <class A>
void fields(A& a, Lease& m) {
    a.text(0, "service", m.service, TextKind::service, Presence::required);
    a.list(1, "grants", m.grants, limits::page_entry_count);
}

// ---- looking at the farm ----------------------------------------------------------------------

template <class A>
void fields(A& a, List& m) {
    a.number(0, "cursor", m.cursor);
    a.text(1, "model", m.model, TextKind::service);
}

template <class A>
void fields(A& a, CatalogEntry& m) {
    fields(a, m.service);
    a.number(20, "worker_count", m.worker_count);
}

template <class A>
void fields(A& a, Catalog& m) {
    a.list(0, "entries", m.entries, limits::page_entry_count);
    a.number(1, "next", m.next);
}

template <class A>
void fields(A& a, Status& m) {
    a.number(0, "cursor", m.cursor);
}

template <class A>
void fields(A& a, WorkerStatus& m) {
    a.text(0, "name", m.name, TextKind::name);
    a.text(1, "device_name", m.device_name, TextKind::name);
    a.text(2, "state", m.state, TextKind::name);
    a.number(3, "outstanding_count", m.outstanding_count);
    a.number(4, "outstanding_bytes", m.outstanding_bytes);
    a.number(5, "done_count", m.done_count);
    a.number(6, "failed_count", m.failed_count);
    a.number(7, "backlog_ns", m.backlog_ns);
    a.number(8, "heard_ms_ago", m.heard_ms_ago);
    device_fields(a, m.device);
}

template <class A>
void fields(A& a, ServiceStatus& m) {
    a.text(0, "name", m.name, TextKind::name);
    a.text(1, "worker", m.worker, TextKind::name);
    a.text(2, "backend", m.backend, TextKind::name);
    a.text(3, "failure", m.failure, TextKind::text);
    a.number(4, "window_count", m.window_count);
    a.number(5, "outstanding_count", m.outstanding_count);
    a.number(6, "done_count", m.done_count);
    a.number(7, "row_ns", m.row_ns);
    a.flag(8, "ejected", m.ejected, false);
    a.list(9, "cost", m.cost, limits::cost_point_count);
    a.check(rows_ascend(m.cost), "cost", "has points whose rows do not ascend");
}

template <class A>
void fields(A& a, QueueStatus& m) {
    a.text(0, "service", m.service, TextKind::name);
    a.number(1, "queued_count", m.queued_count);
    a.number(2, "queued_bytes", m.queued_bytes);
    a.number(3, "oldest_ms", m.oldest_ms);
}

template <class A>
void fields(A& a, BrokerStatus& m) {
    a.text(0, "name", m.name, TextKind::name);
    a.text(1, "version", m.version, TextKind::name);
    a.number(2, "uptime_ms", m.uptime_ms);
    a.number(3, "client_count", m.client_count);
    a.number(4, "worker_count", m.worker_count);
    a.number(5, "accepted_count", m.accepted_count);
    a.number(6, "answered_ok_count", m.answered_ok_count);
    a.number(7, "answered_other_count", m.answered_other_count);
    a.number(8, "refused_count", m.refused_count);
    a.number(9, "queued_bytes", m.queued_bytes);
    a.flag(10, "draining", m.draining, false);
}

template <class A>
void fields(A& a, StatusReport& m) {
    a.record(0, "broker", m.broker);
    a.list(1, "workers", m.workers, limits::page_entry_count);
    a.list(2, "services", m.services, limits::page_entry_count);
    a.list(3, "queues", m.queues, limits::page_entry_count);
    a.number(4, "next", m.next);
}

template <class A>
void fields(A& a, Drain& m) {
    a.text(0, "worker", m.worker, TextKind::name);
}

}  // namespace farm
