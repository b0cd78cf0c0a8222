#include <algorithm>
#include <utility>

#include "broker/core/broker_machine.h"

namespace farm {
namespace {

bool has_right(const PeerRights& rights, Role role) {
    switch (role) {
        case Role::client: return rights.client;
        case Role::worker: return rights.worker;
        case Role::admin: return rights.admin;
        case Role::broker: return false;
    }
    return false;
}

}  // namespace

void BrokerMachine::hello(LinkId link, const Hello& message) {
    if (sessions_.by_link(link) != nullptr) {
        return refuse(link, RefusedReason::malformed, "a second HELLO came on one connection");
    }
    PeerRights rights;
    if (const PeerAppeared* stranger = strangers_.find(link)) rights = stranger->rights;
    if (message.protocol_min > protocol_version || message.protocol_max < protocol_version) {
        return refuse(link, RefusedReason::protocol_version,
                      "protocol " + std::to_string(message.protocol_min) + ".." +
                          std::to_string(message.protocol_max) + " (this broker speaks " +
                          std::to_string(protocol_version) + ")");
    }
    if (!has_right(rights, message.role)) {
        return refuse(link, RefusedReason::unauthorized,
                      "this key may not act as " + std::string(to_string(message.role)));
    }
    if (draining_) return refuse(link, RefusedReason::draining, "this broker is leaving");

    Session* known = sessions_.by_peer(message.peer);
    if (known != nullptr) {
        if (known->role != message.role || known->rights.tenant != rights.tenant) {
            return refuse(link, RefusedReason::unauthorized,
                          "this peer id belongs to another tenant or role");
        }
        if (message.epoch < known->epoch) {
            return refuse(link, RefusedReason::old_epoch,
                          "a newer process of this peer is registered");
        }
        if (message.epoch > known->epoch) {
            end_session(known->id, true, "a newer process of this peer has come");
            known = nullptr;
        }
    }
    const bool resumed = known != nullptr;
    if (!resumed) {
        if (sessions_.size() >= limits::session_count) {
            return refuse(link, RefusedReason::too_many_sessions,
                          "this broker holds " + std::to_string(limits::session_count) +
                              " sessions, its limit");
        }
        known = &sessions_.add(link, message.peer);
        known->role = message.role;
        known->epoch = message.epoch;
        known->name = message.name;
        known->rights = rights;
        if (message.role == Role::worker) known->worker = std::make_unique<Worker>(loads_);
    } else {
        // The peer may know of a break that we do not know of yet. Either way no transfer survived
        // it.
        if (known->attached()) out_->push_back(CloseLink{known->link});
        sessions_.attach(*known, LinkId{});
        abort_streams(*known);
        sessions_.attach(*known, link);
    }
    strangers_.erase(link);
    known->last_heard = now_;
    if (known->worker) worker_changed(*known);
    welcome(*known, message, resumed);
}

void BrokerMachine::welcome(Session& session, const Hello& message, bool resumed) {
    session.secret = secrets_.next_id<Secret>();
    Welcome answer;
    answer.session = session.id;
    answer.broker = options_.peer;
    answer.broker_epoch = options_.epoch;
    answer.broker_name = options_.name;
    answer.timing = options_.timing;
    answer.bulk_url = options_.bulk_url;
    answer.bulk_secret = session.secret;
    for (const CallKey& key : message.open) {
        if (session.role == Role::worker) {
            if (session.worker->outstanding.contains(key)) answer.known.push_back(key);
        } else if (const RoutedCall* call = calls_.find(key.id);
                   call != nullptr && call->key == key && call->client == &session) {
            answer.known.push_back(key);
        }
    }
    for (const Answer& waiting : session.undelivered) answer.known.push_back(waiting.key);
    transmit(session, std::move(answer));
    arm(session);
    note(NoteLevel::info, std::string(to_string(session.role)) + " " + session.name +
                              (resumed ? " resumed" : " joined"));
    if (!resumed) return;

    if (session.role == Role::worker) resume_worker(session, message);
    auto undelivered = std::exchange(session.undelivered, {});
    session.undelivered_bytes = 0;
    for (Answer& waiting : undelivered) deliver(session, std::move(waiting));
}

void BrokerMachine::attach_bulk(LinkId link, const Attach& message) {
    const PeerAppeared* stranger = strangers_.find(link);
    Session* session = sessions_.find(message.session);
    const bool right = stranger != nullptr && session != nullptr && session->attached() &&
                       session->secret == message.secret &&
                       session->rights.tenant == stranger->rights.tenant;
    if (!right) {
        return refuse(link, RefusedReason::unknown_session,
                      "ATTACH names no session of this broker, or has the wrong secret");
    }
    strangers_.erase(link);
    session->bulk_attached = true;
    session->last_heard = now_;
    if (session->worker) worker_changed(*session);
    out_->push_back(BindBulk{session->link, link});
    transmit(*session, message);
    if (session->worker) serve_worker(*session);  // large calls may have waited for it
}

void BrokerMachine::refuse(LinkId link, RefusedReason reason, std::string detail) {
    ++counters_.refused;
    note(NoteLevel::warning, "refused a peer (" + std::string(to_string(reason)) + "): " + detail);
    if (detail.size() > limits::detail_bytes) detail.resize(limits::detail_bytes);
    Session* session = sessions_.by_link(link);
    if (session != nullptr) end_session(session->id, false, "refused: " + detail);
    strangers_.erase(link);
    transmit(link, Refused{reason, std::move(detail)});
    out_->push_back(CloseLink{link});
}

void BrokerMachine::detach(Session& session) {
    note(NoteLevel::info, session.name + " lost its connection");
    sessions_.attach(session, LinkId{});
    session.closed_in_silence = now_ >= session.last_heard + options_.timing.suspect_after();
    if (session.worker) {
        session.worker->window_bytes = 0;
        worker_changed(session);
    }
    abort_streams(session);
    arm(session);
}

/// Tells the offer tables whether this worker may get calls at all, and its room.
void BrokerMachine::worker_changed(Session& session) {
    session.worker->open = session.attached() && !session.draining &&
                           now_ < session.last_heard + options_.timing.suspect_after();
    session.worker->streams = session.bulk_attached;
    session.worker->changed(now_);
}

/// Chunks that were under way are gone with the connection: such a transfer starts again from the
/// client, which still owns its inputs (rule 4).
void BrokerMachine::abort_streams(Session& session) {
    std::vector<CallId> touched = session.calls.keys();
    if (session.worker) {
        touched = session.worker->streaming.keys();
        for (const auto& [key, call] : session.worker->outstanding) touched.push_back(key.id);
    }
    for (CallId id : touched) {
        RoutedCall* const call = calls_.find(id);
        const bool under_way =
            call != nullptr && (call->client == &session || call->worker == session.id) &&
            (call->state == RoutedCall::State::streaming ||
             (call->state == RoutedCall::State::dispatched && call->input_left_bytes > 0));
        if (!under_way) continue;
        if (call->client == &session) {  // not known any more when it resumes: sent again
            cancel_at_worker(*call);
            forget_call(*call);
        } else {
            const bool may_have_run = call->state == RoutedCall::State::streaming;
            answer_without_running(
                *call, may_have_run ? Outcome::lost : Outcome::not_started, Reason::worker_lost,
                "the connection of " + session.name + " broke while bytes streamed");
        }
    }
}

void BrokerMachine::end_session(SessionId id, [[maybe_unused]] bool died, const std::string& why) {
    Session* session = sessions_.find(id);
    if (session == nullptr) return;
    note(NoteLevel::info,
         std::string(to_string(session->role)) + " " + session->name + " left: " + why);
    if (session->worker) {
        std::vector<ServiceIndex> indices;
        for (const auto& service : session->worker->services) indices.push_back(service->index);
        for (ServiceIndex index : indices) remove_service(*session, index);
#ifndef FARM_PLANT_DEFECT
        lose_worker_calls(*session, died);
#endif
    }
    for (const CallId& open : session->calls.keys()) {
        RoutedCall& call = calls_.at(open);
        cancel_at_worker(call);
        forget_call(call);
    }
    for (const Answer& waiting : session->undelivered) drop_payload(waiting.payload);
    session_timers_.cancel(id);
    sessions_.remove(id);
}

void BrokerMachine::arm(const Session& session) {
    const TimePoint lost = session.last_heard + options_.timing.lost_after();
    session_timers_.set(session.id,
                        session.attached() ? std::min(lost, now_ + options_.timing.beat) : lost);
}

void BrokerMachine::session_due(Session& session) {
    if (now_ >= session.last_heard + options_.timing.lost_after()) {
        // Rule 7: silence is no death; a closed transport that nobody resumed is one, unless
        // silence came first: behind a partition a living peer gives up its connection, too.
        const bool died = !session.attached() && !session.closed_in_silence;
        if (session.attached()) out_->push_back(CloseLink{session.link});
        if (session.worker) ++counters_.workers_lost;
        return end_session(session.id, died,
                           died ? "its connection closed" : "silent for too long");
    }
    if (session.worker) check_overdue(session);
    beat(session);
    arm(session);
}

namespace {

std::vector<QueueDepth> queue_depths(const Worker& worker) {
    std::vector<QueueDepth> depths;
    for (const auto& service : worker.services) {
        if (service->by_version == nullptr) continue;
        std::size_t queued = service->by_version->queue.size();
        if (service->by_model != nullptr) queued += service->by_model->queue.size();
        if (queued > 0) depths.push_back({service->index, static_cast<std::uint32_t>(queued)});
    }
    return depths;
}

}  // namespace

void BrokerMachine::beat(Session& session) {
    if (!session.attached()) return;
    Beat message;
    if (session.worker) {
        message.credit_sequence = session.worker->credit_sequence;
        message.result_sequence = session.worker->result_sequence;
        session.worker->acknowledged_sequence = message.result_sequence;
        if (queued_count_ > 0) message.depths = queue_depths(*session.worker);
    } else if (now_ < session.last_sent + options_.timing.beat / 2) {
        return;  // any traffic is life
    }
    transmit(session, std::move(message));
}

}  // namespace farm
