#include "broker/core/broker_machine.h"

#include <utility>

namespace farm {

BrokerMachine::BrokerMachine(BrokerOptions options, std::unique_ptr<SchedulingPolicy> policy,
                             TimePoint start)
    : options_(std::move(options)),
      policy_(std::move(policy)),
      start_(start),
      now_(start),
      secrets_(options_.seed),
      next_lease_(secrets_.next() >> 1) {}

void BrokerMachine::step(BrokerInput input, TimePoint now, BrokerEffects& out) {
    now_ = now;
    out_ = &out;
    std::visit([this](auto& what) { on(std::move(what)); }, input);
    while (const auto call = call_timers_.pop_due(now)) call_expired(*call);
    while (const auto service = absence_timers_.pop_due(now)) service_absent(*service);
    while (const auto session = session_timers_.pop_due(now)) {
        if (Session* found = sessions_.find(*session)) session_due(*found);
    }
    if (draining_) drain_due();
    out_ = nullptr;
}

std::optional<TimePoint> BrokerMachine::next_deadline() const {
    auto next =
        earliest(call_timers_.next(), earliest(absence_timers_.next(), session_timers_.next()));
    if (draining_ && !finished_) next = earliest(next, drain_until_);
    return next;
}

void BrokerMachine::on(const PeerAppeared& input) { strangers_[input.link] = input; }

void BrokerMachine::on(const LinkLost& input) {
    strangers_.erase(input.link);
    if (Session* session = sessions_.by_link(input.link)) detach(*session);
}

void BrokerMachine::on(const Malformed& input) { refuse(input.link, input.reason, input.detail); }

void BrokerMachine::on(const DrainRequested&) { begin_drain(); }

void BrokerMachine::on(Received&& input) {
    Message& message = input.message;
    if (const auto* first = std::get_if<Hello>(&message)) return hello(input.link, *first);
    if (const auto* bulk = std::get_if<Attach>(&message)) return attach_bulk(input.link, *bulk);

    Session* session = sessions_.by_link(input.link);
    if (session == nullptr) {
        if (const auto* call = std::get_if<Call>(&message)) drop_payload(call->payload);
        if (const auto* answer = std::get_if<Answer>(&message)) drop_payload(answer->payload);
        if (const auto* chunk = std::get_if<Chunk>(&message)) drop_payload(chunk->payload);
        return refuse(input.link, RefusedReason::unknown_session,
                      std::string(verb_name(message)) + " came before HELLO: say HELLO first");
    }
    session->last_heard = now_;
    if (session->worker && !session->worker->open && !session->draining) worker_changed(*session);

    const bool from_worker = session->role == Role::worker;
    if (!may_send(session->role, message)) {
        return refuse(input.link, RefusedReason::malformed,
                      "a " + std::string(to_string(session->role)) + " may not send " +
                          std::string(verb_name(message)));
    }
    struct Route {
        BrokerMachine& machine;
        Session& session;
        bool from_worker;
        void operator()(Call& m) { machine.client_call(session, std::move(m)); }
        void operator()(const Cancel& m) { machine.client_cancel(session, m.id); }
        void operator()(const Chunk& m) { machine.relay_chunk(session, m); }
        void operator()(Answer& m) { machine.worker_answer(session, std::move(m)); }
        void operator()(const Started& m) { machine.started(session, m); }
        void operator()(const Credit& m) { machine.credit(session, m); }
        void operator()(const Advertise& m) { machine.advertise(session, m); }
        void operator()(const Withdraw& m) { machine.withdraw(session, m); }
        void operator()(const List& m) { machine.list(session, m); }
        void operator()(const Status& m) { machine.status(session, m); }
        void operator()(const Drain& m) { machine.drain(session, m); }
        void operator()(const Resolve& m) { machine.resolve(session, m); }
        void operator()(const Lease& m) {
            if (from_worker) machine.lease_returned(session, m);
        }
        void operator()(const Send& m) {
            from_worker ? machine.worker_send(session, m) : machine.client_send(session, m);
        }
        void operator()(const Beat& m) {
            if (from_worker) machine.worker_beat(session, m);
        }
        void operator()(const Goodbye& m) {
            const LinkId link = session.link;
            machine.end_session(session.id, false, "said goodbye: " + m.reason);
            machine.out_->push_back(CloseLink{link});
        }
        // Excluded by may_send(), or taken above.
        void operator()(const Hello&) {}
        void operator()(const Attach&) {}
        void operator()(const Welcome&) {}
        void operator()(const Refused&) {}
        void operator()(const Catalog&) {}
        void operator()(const StatusReport&) {}
    };
    std::visit(Route{*this, *session, from_worker}, message);
}

void BrokerMachine::transmit(LinkId link, Message&& message, bool release_payload) {
    out_->emplace_back(Transmit{link, std::move(message), release_payload});
}

void BrokerMachine::transmit(Session& session, Message&& message, bool release_payload) {
    if (!session.attached()) return;
    session.last_sent = now_;
    transmit(session.link, std::move(message), release_payload);
}

void BrokerMachine::drop_payload(PayloadId payload) {
    if (payload) out_->push_back(DropPayload{payload});
}

void BrokerMachine::note(NoteLevel level, std::string text) {
    out_->push_back(Note{level, std::move(text)});
}

}  // namespace farm
