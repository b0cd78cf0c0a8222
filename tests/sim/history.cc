#include "tests/sim/history.h"

#include <algorithm>

namespace farm::sim {
namespace {

using namespace std::chrono_literals;

std::string name_of(const CallKey& key) {
    return "call " + short_hex(key.id) + " attempt " + std::to_string(key.attempt);
}

}  // namespace

// ---- the workload -----------------------------------------------------------------------------

void History::submitted(const PlannedCall& call) {
    CallRecord& record = calls_[call.id];
    record.plan = call;
    record.known = true;
}

void History::client_died(NodeId client) {
    for (auto& [id, record] : calls_) {
        if (record.plan.client == client && !record.status) record.client_died = true;
    }
}

void History::completed(const CallId& call, CallStatus status, const std::string& detail,
                        std::uint8_t attempts, bool has_payload, bool had_session) {
    CallRecord& record = calls_[call];
    const std::string what = "call " + short_hex(call) + " ended " +
                             std::string(to_string(status)) + " (" + detail + ")";
    if (!record.known)
        return violate("rule 1: one status per call", what + ", nobody asked for it");
    if (record.status) return violate("rule 1: one status per call", what + " for a second time");
    record.status = status;
    const TimePoint promised = std::max(record.plan.deadline, hung_until_[record.plan.client]);
    if (clock_.now() > promised + timing_.beat) {
        violate("rule 1: never later than deadline + one beat", what);
    }
    if (attempts > limits::attempt_count) violate("rule 4: at most 3 attempts", what);
    if (has_payload != (status == CallStatus::ok)) violate("an answer comes with OK only", what);
    check_status(record, status, detail, had_session);
}

void History::check_status(const CallRecord& record, CallStatus status, const std::string& detail,
                           bool had_session) {
    const PlannedCall& plan = record.plan;
    const std::string what = "call " + short_hex(plan.id) + " for '" + plan.service + "' ended " +
                             std::string(to_string(status)) + " (" + detail + ")";
    if (plan.must_be_ok && status != CallStatus::ok)
        violate("liveness: a healthy farm serves", what);
    switch (status) {
        case CallStatus::ok:
            if (!record.was_made) violate("rule 5: no RESULT for what never ran", what);
            break;
        case CallStatus::invalid:
            if (!plan.is_bad && !plan.is_too_large) violate("INVALID needs a wrong call", what);
            break;
        case CallStatus::deadline:
            if (clock_.now() + 20ms < plan.deadline) violate("DEADLINE before the deadline", what);
            break;
        case CallStatus::cancelled:
            if (!record.was_cancelled) violate("CANCELLED, and nobody cancelled", what);
            break;
        case CallStatus::poison:
            if (record.deaths < 2 || record.lonely_deaths < 1) {
                violate("rule 7: POISON only for what died twice, the second time alone", what);
            }
            break;
        case CallStatus::unavailable:
            if (had_session) violate("UNAVAILABLE while a broker serves this client", what);
            break;
        case CallStatus::worker_lost:
        case CallStatus::internal:
            if (faults_ == 0) violate("a status of failure without a fault", what);
            break;
        case CallStatus::no_service:
        case CallStatus::overloaded: break;
        case CallStatus::unauthorized: violate("UNAUTHORIZED, and everybody may", what);
    }
}

bool History::awaits(const CallKey& key) const {
    const auto found = calls_.find(key.id);
    return found != calls_.end() && !found->second.status && !found->second.was_cancelled &&
           found->second.at_broker_or_worker == key;
}

std::size_t History::unfinished_count() const {
    return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(), [](const auto& e) {
        return e.second.known && !e.second.status && !e.second.client_died;
    }));
}

std::string History::describe_unfinished() const {
    std::string text;
    for (const auto& [id, record] : calls_) {
        if (!record.known || record.status || record.client_died) continue;
        text += " " + short_hex(id) + "(" + record.plan.service + ")";
    }
    return text;
}

std::map<std::string, int> History::status_counts() const {
    std::map<std::string, int> counts;
    for (const auto& [id, record] : calls_) {
        if (record.status) ++counts[std::string(to_string(*record.status))];
        if (record.client_died) ++counts["(client died)"];
    }
    return counts;
}

bool History::is_over(const CallId& call) const {
    const auto found = calls_.find(call);
    return found == calls_.end() || found->second.status || found->second.client_died ||
           found->second.was_cancelled;
}

// ---- brokers ----------------------------------------------------------------------------------

void History::broker_started(NodeId broker, int life) {
    lives_[{broker, life}].started = clock_.now();
}

void History::broker_received(NodeId broker, int life_number, LinkId link, NodeId from,
                              const Message& message) {
    Life& life = lives_[{broker, life_number}];
    if (const auto* hello = std::get_if<Hello>(&message)) {
        if (!life.hellos.contains(link)) life.hellos[link] = *hello;
        const auto newest = life.newest_epoch.find(hello->peer);
        const auto heard = life.heard.find(hello->peer);
        life.must_be_refused[link] = newest != life.newest_epoch.end() &&
                                     hello->epoch < newest->second && heard != life.heard.end() &&
                                     clock_.now() < heard->second + timing_.lost_after();
        return;
    }
    const auto hello = life.hellos.find(link);
    const auto session = life.sessions.find(link);
    if (hello == life.hellos.end() || session == life.sessions.end()) return;
    if (std::holds_alternative<Goodbye>(message)) {
        life.heard.erase(hello->second.peer);
    } else if (life.heard.contains(hello->second.peer)) {
        life.heard[hello->second.peer] = clock_.now();
    }
    if (const auto* call = std::get_if<Call>(&message)) {
        life.calls_of_peer[hello->second.peer].insert(call->key);
        life.answered.erase(call->key);
        CallRecord& record = calls_[call->key.id];
        record.last_broker = broker;
        record.last_broker_life = life_number;
        record.last_link = link;
        record.last_key = call->key;
        return;
    }
    const auto worker = life.workers.find(session->second);
    if (worker == life.workers.end()) return;
    WorkerSession& known = worker->second;
    for (const auto& [index, ad] : known.ads) {
        life.offered[service_name(ad.model, ad.version)] = clock_.now();
        if (ad.latest) life.offered[ad.model] = clock_.now();
    }
    if (const auto* ads = std::get_if<Advertise>(&message)) {
        for (const ServiceAd& ad : ads->services) {
            if (ad.failure.empty()) known.ads[ad.index] = ad;
        }
    } else if (const auto* gone = std::get_if<Withdraw>(&message)) {
        for (ServiceIndex index : gone->services) known.ads.erase(index);
    } else if (const auto* credit = std::get_if<Credit>(&message)) {
        if (!known.has_window || credit->sequence >= known.window.sequence) known.window = *credit;
        known.has_window = true;
    } else if (std::holds_alternative<Drain>(message)) {
        known.draining = true;
    } else if (const auto* answer = std::get_if<Answer>(&message)) {
        known.outstanding.erase(answer->key);
        run_is_known_to_be_over(from, answer->key);
    }
}

void History::broker_sent(NodeId broker, int life_number, LinkId link, NodeId to,
                          const Message& message) {
    Life& life = lives_[{broker, life_number}];
    if (const auto* welcome = std::get_if<Welcome>(&message)) {
        const Hello& hello = life.hellos[link];
        if (life.must_be_refused[link]) {
            violate("rule 9: an older epoch is refused",
                    "epoch " + std::to_string(hello.epoch) + " of " + hello.name + " was welcomed");
        }
        life.sessions[link] = welcome->session;
        life.newest_epoch[hello.peer] = hello.epoch;  // of the session that there is now
        life.heard[hello.peer] = clock_.now();
        if (hello.role != Role::worker) return;
        WorkerSession& worker = life.workers[welcome->session];
        worker.worker = to;
        worker.has_window = false;  // nothing is granted before the next CREDIT
        const std::set<CallKey> held(hello.open.begin(), hello.open.end());
        std::erase_if(worker.outstanding, [&](const auto& e) { return !held.contains(e.first); });
        return;
    }
    if (std::holds_alternative<Refused>(message)) {  // it ends the session
        if (life.sessions.contains(link)) life.heard.erase(life.hellos[link].peer);
        return;
    }
    if (const auto* call = std::get_if<Call>(&message)) return check_dispatch(life, link, *call);
    if (const auto* answer = std::get_if<Answer>(&message)) {
        check_answer(broker, life, link, *answer);
    }
}

void History::check_dispatch(Life& life, LinkId link, const Call& call) {
    const std::string what =
        name_of(call.key) + " to session " + std::to_string(life.sessions[link].value);
    const auto found = life.workers.find(life.sessions[link]);
    if (found == life.workers.end()) return violate("a CALL goes to workers only", what);
    WorkerSession& worker = found->second;
    if (worker.draining) violate("rule 16: no CALL after DRAIN", what);
    if (call.key.attempt > limits::attempt_count) violate("rule 4: at most 3 attempts", what);
    if (call.remaining_ms == 0) violate("rule 6: an expired call is not sent on", what);
    if (!worker.has_window) return violate("rule 14: no CALL without a window", what);
    if (!worker.ever_sent.insert(call.key).second && worker.outstanding.contains(call.key)) {
        violate("one CALL per (call, attempt) and worker session", what);
    }
    ServiceIndex index;
    std::uint32_t version = 0;
    for (const auto& [number, ad] : worker.ads) {
        const bool named = call.service == service_name(ad.model, ad.version) ||
                           (call.service == ad.model && ad.latest && ad.version >= version);
        if (!named) continue;
        index = number;
        version = ad.version;
    }
    if (!index) return violate("a CALL goes to who offers the service", what);

    std::uint32_t count = 1;
    std::uint64_t bytes = call.input_bytes + call.max_result_bytes;
    for (const auto& [key, sent] : worker.outstanding) {
        bytes += sent.bytes;
        if (sent.service == index) ++count;
    }
    std::uint32_t window = 0;
    for (const ServiceWindow& granted : worker.window.windows) {
        if (granted.service == index) window = granted.request_count;
    }
    if (count > window) {
        violate("rule 14: windows are never overused", what + ": " + std::to_string(count) +
                                                           " requests, the window has " +
                                                           std::to_string(window));
    }
    if (bytes > worker.window.device_bytes) {
        violate("rule 14: windows are never overused",
                what + ": " + std::to_string(bytes) + " bytes, the window has " +
                    std::to_string(worker.window.device_bytes));
    }
    worker.outstanding[call.key] = {index, call.input_bytes + call.max_result_bytes,
                                    life.dialler_life[link]};
}

void History::check_answer(NodeId, Life& life, LinkId link, const Answer& answer) {
    const std::string what = name_of(answer.key);
    const Hello& hello = life.hellos[link];
    if (!life.calls_of_peer[hello.peer].contains(answer.key)) {
        return violate("no RESULT for a call that its receiver never sent", what);
    }
    // A RESULT whose bytes stream may be followed by the news that they end before the end.
    const bool first = life.answered.insert(answer.key).second;
    const bool was_streaming = life.streaming.erase(answer.key) > 0;
    if (answer.chunked) life.streaming.insert(answer.key);
    if (!first && !(was_streaming && answer.outcome != Outcome::ok)) {
        violate("one RESULT per CALL", what + " was answered twice by one broker");
    }
    if (answer.reason == Reason::no_service) {
        const std::string& service = calls_[answer.key.id].plan.service;
        TimePoint since = life.started;
        if (const auto offered = life.offered.find(service); offered != life.offered.end()) {
            since = std::max(since, offered->second);
        }
        if (clock_.now() < since + no_service_grace(timing_, back_off_)) {
            violate("rule 10: NO_SERVICE only after the grace time", what);
        }
    }
}

bool History::owes_answer(NodeId broker, int life, LinkId link, const CallKey& key) const {
    const CallRecord& record = calls_.at(key.id);
    return !is_over(key.id) && record.last_broker == broker && record.last_broker_life == life &&
           record.last_link == link && record.last_key == key &&
           !lives_.at({broker, life}).answered.contains(key);
}

std::vector<CallKey> History::outstanding_at(NodeId worker, NodeId broker, int broker_life) const {
    std::vector<CallKey> keys;
    const auto life = lives_.find({broker, broker_life});
    if (life == lives_.end()) return keys;
    // A peer has one session at a time: the last one.
    const WorkerSession* last = nullptr;
    for (const auto& [id, session] : life->second.workers) {
        if (session.worker == worker) last = &session;
    }
    if (last == nullptr) return keys;
    for (const auto& [key, sent] : last->outstanding) keys.push_back(key);
    return keys;
}

// ---- workers ----------------------------------------------------------------------------------

void History::worker_received(NodeId worker, int life, NodeId, const Call& call) {
    held_by_worker_[{worker, life}].insert(call.key);
    calls_[call.key.id].attempts_sent.insert(call.key.attempt);
}

void History::worker_sent(NodeId worker, int life, LinkId link, NodeId broker,
                          const Message& message) {
    const auto* answer = std::get_if<Answer>(&message);
    if (answer == nullptr) return;
    if (!held_by_worker_[{worker, life}].contains(answer->key)) {
        violate("no RESULT for a call that never came", name_of(answer->key));
    }
    (void)link;
    (void)broker;
}

void History::run_started(NodeId worker, int life, RunId run, const std::vector<CallKey>& calls) {
    runs_[{worker, life, run}] = {calls, calls.size()};
    for (const CallKey& key : calls) {
        CallRecord& record = calls_[key.id];
        ++record.run_count;
        if (!held_by_worker_[{worker, life}].contains(key)) {
            violate("a run has only calls that came", name_of(key));
        }
        if (record.run_count > 1 && record.known && !record.plan.idempotent) {
            violate("rule 4: a call that is not idempotent starts once", name_of(key));
        }
        if (record.plan.is_bad) violate("rule 11: a wrong call reaches no device", name_of(key));
        if (key.attempt > limits::attempt_count)
            violate("rule 4: at most 3 attempts", name_of(key));
    }
}

/// Until its RESULT has come, nobody else can tell a run that is over from one that is under way.
void History::run_is_known_to_be_over(NodeId worker, const CallKey& key) {
    for (auto& [id, run] : runs_) {
        if (std::get<0>(id) == worker) std::erase(run.calls, key);
    }
}

void History::worker_died(NodeId worker, int life) {
    for (auto it = runs_.begin(); it != runs_.end();) {
        const auto& [node, node_life, run] = it->first;
        if (node != worker || node_life != life) {
            ++it;
            continue;
        }
        for (const CallKey& key : it->second.calls) {
            CallRecord& record = calls_[key.id];
            ++record.deaths;
            if (it->second.call_count == 1) ++record.lonely_deaths;
        }
        it = runs_.erase(it);
    }
}

}  // namespace farm::sim
