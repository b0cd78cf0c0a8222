// The half of ClientMachine that gets, keeps and loses sessions.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/core/expect.h"
#include "cpu_client/core/client_machine.h"
#include "cpu_client/core/unreachable_text.h"

namespace farm {
namespace {

using Phase = BrokerSession::Phase;
using Bulk = BrokerSession::Bulk;

/// What another broker of the same farm, or a later try, would answer the same way.
bool is_final(RefusedReason reason) {
    return reason == RefusedReason::protocol_version || reason == RefusedReason::unauthorized ||
           reason == RefusedReason::old_epoch;
}

std::string text_of(const Refused& refused) {
    std::string text = "refused (" + std::string(to_string(refused.reason)) + ")";
    if (!refused.detail.empty()) text += ": " + refused.detail;
    return text;
}

}  // namespace

ClientMachine::ClientMachine(ClientOptions options)
    : options_(std::move(options)),
      rotation_(static_cast<std::uint16_t>(options_.addresses.size()), options_.back_off,
                options_.seed),
      demand_(options_.direct),
      refusals_(options_.addresses.size()) {
    FARM_EXPECT(!options_.addresses.empty() && options_.addresses.size() <= limits::broker_count);
}

void ClientMachine::step(const ClientInput& input, TimePoint now, ClientEffects& out) {
    Step step{now, out};
    std::visit([&](const auto& what) { on(what, step); }, input);
    if (session_.is_open()) leave_if_idle(step);
    send_ready(step);
    resolve(step);
    if (!session_.is_open()) return;
    for (Message& question : questions_.take_unsent()) transmit(std::move(question), step);
}

// ---- time -------------------------------------------------------------------------------------

void ClientMachine::on(const Tick&, Step& step) {
    tick_session(step);
    tick_direct(step);
    while (OpenCall* call = calls_.first_deadline()) {
        if (call->what.deadline > step.now) break;
        expire(*call, step);
    }
    while (OpenCall* call = calls_.first_pausing()) {
        if (call->retry_at > step.now) break;
        calls_.make_ready(*call);
    }
    for (const Ask& ask : questions_.expire(step.now)) {
        reply(ask.ticket, "no answer before the deadline", step);
    }
    give_up(step);
}

void ClientMachine::tick_session(Step& step) {
    const bool due = step.now >= session_.until;
    switch (session_.phase) {
        case Phase::closed: return;
        case Phase::resting:
            if (due) connect(step);
            return;
        case Phase::connecting:
        case Phase::greeting:
            if (due) {
                drop_link(step);
                end_session(step, rotation_.failed(),
                            "no answer within " + seconds_text(options_.back_off.connect_timeout));
            }
            return;
        case Phase::open: break;
    }
    const Timing& timing = session_.welcome.timing;
    if (step.now - session_.heard >= timing.lost_after()) {
        drop_link(step);
        return end_session(step, rotation_.failed(),
                           "silent for " + seconds_text(step.now - session_.heard));
    }
    if (session_.bulk == Bulk::opening && step.now >= session_.bulk_until) {
        drop_link(step);
        return end_session(step, rotation_.failed(),
                           "bulk connection to " + session_.welcome.bulk_url +
                               " not accepted within " +
                               seconds_text(options_.back_off.connect_timeout));
    }
    if (step.now < session_.next_beat) return;
    rotation_.reached();
    session_.next_beat = step.now + timing.beat;
    transmit(Beat{}, step);
}

std::optional<TimePoint> ClientMachine::next_deadline() const {
    std::optional<TimePoint> next = earliest(session_deadline(), give_up_at());
    next = earliest(next, direct_deadline());
    next = earliest(next, lease_wait_until_);
    if (const OpenCall* call = calls_.first_deadline()) next = earliest(next, call->what.deadline);
    if (const OpenCall* call = calls_.first_pausing()) next = earliest(next, call->retry_at);
    return earliest(next, questions_.next_deadline());
}

std::optional<TimePoint> ClientMachine::session_deadline() const {
    if (session_.phase == Phase::closed) return std::nullopt;
    if (!session_.is_open()) return session_.until;
    std::optional<TimePoint> next =
        std::min(session_.next_beat, session_.heard + session_.welcome.timing.lost_after());
    if (session_.bulk == Bulk::opening) next = earliest(next, session_.bulk_until);
    return earliest(next, session_.leave_at);
}

// ---- getting a session ------------------------------------------------------------------------

void ClientMachine::connect(Step& step) {
    session_.link = LinkId{++last_link_};
    session_.phase = Phase::connecting;
    session_.until = step.now + options_.back_off.connect_timeout;
    step.out.push_back(OpenLink{session_.link, rotation_.address()});
}

void ClientMachine::on(const LinkOpened& opened, Step& step) {
    if (DirectSession* worker = direct_session(opened.link)) return greet(*worker, step);
    if (!session_.has_link(opened.link) || session_.phase != Phase::connecting) return;
    session_.phase = Phase::greeting;
    Hello hello;
    hello.role = options_.role;
    hello.peer = options_.peer;
    hello.epoch = options_.epoch;
    hello.name = options_.name;
    hello.token = options_.token;
    for (const OpenCall* call : calls_.sent()) hello.open.push_back(call->key());
    transmit(std::move(hello), step);
}

void ClientMachine::on(const Received& received, Step& step) {
    if (DirectSession* worker = direct_session(received.link)) {
        return direct_message(*worker, received.message, step);
    }
    const bool live = session_.has_link(received.link) &&
                      (session_.phase == Phase::greeting || session_.is_open());
    const Message& message = received.message;
    if (!live) {
        if (const PayloadId payload = payload_of(message)) step.out.push_back(DropPayload{payload});
        return;
    }
    session_.heard = step.now;
    if (const auto* refused = std::get_if<Refused>(&message)) return on(*refused, step);
    if (const auto* welcome = std::get_if<Welcome>(&message)) return on(*welcome, step);
    if (!session_.is_open()) {
        if (const PayloadId payload = payload_of(message)) step.out.push_back(DropPayload{payload});
        return;
    }
    if (const auto* attach = std::get_if<Attach>(&message)) return on(*attach, step);
    if (const auto* goodbye = std::get_if<Goodbye>(&message)) return on(*goodbye, step);
    if (const auto* grant = std::get_if<Send>(&message)) return on(*grant, step);
    if (const auto* chunk = std::get_if<Chunk>(&message)) return on(*chunk, step);
    if (auto question = questions_.match(message)) {
        if (!question->over) step.out.push_back(Reply{question->ask.ticket, message, {}});
        return;
    }
    if (const auto* lease = std::get_if<Lease>(&message)) return learn(*lease, step);
    if (const PayloadId payload = payload_of(message)) step.out.push_back(DropPayload{payload});
}

void ClientMachine::on(const Welcome& welcome, Step& step) {
    if (session_.phase != Phase::greeting) return;
    if (welcome.protocol != protocol_version) {
        return refuse_session(
            {RefusedReason::protocol_version,
             "the broker speaks version " + std::to_string(welcome.protocol) +
                 " (this client speaks " + std::to_string(protocol_version) + ")"},
            step);
    }
    session_.phase = Phase::open;
    session_.welcome = welcome;
    session_.welcome.timing = sane(welcome.timing);
    session_.next_beat = step.now + session_.welcome.timing.beat;
    refusals_[rotation_.address()].reset();
    step.out.push_back(Note{NoteLevel::info, "session with broker '" + welcome.broker_name +
                                                 "' at " +
                                                 options_.addresses[rotation_.address()]});
    welcome_calls(welcome, step);
    session_.welcome.known.clear();
}

/// What the broker still has stays with it. Of the rest, only what may run twice is sent again.
void ClientMachine::welcome_calls(const Welcome& welcome, Step& step) {
    const std::unordered_set<CallKey> known(welcome.known.begin(), welcome.known.end());
    for (OpenCall* call : calls_.sent()) {
        if (known.contains(call->key())) {
            call->via = session_.link;
            if (call->upload && !call->upload->done()) open_bulk(step);
            continue;
        }
        if (call->what.idempotent) {
            reset_transfers(*call, step);
            calls_.make_ready(*call);
            continue;
        }
        finish(*call,
               {CallStatus::worker_lost,
                "the broker that had this call is gone or has forgotten it (not sent again: it may "
                "have run, and it is not idempotent)"},
               step);
    }
}

// ---- losing a session -------------------------------------------------------------------------

void ClientMachine::on(const LinkLost& lost, Step& step) {
    if (const DirectSession* worker = direct_session(lost.link)) {
        if (lost.cause == LinkLost::Cause::gone) {
            return lose_direct(lost.link, Ending::closed, "the connection broke", step);
        }
        note_unreachable(worker->url, step.now);
        return lose_direct(lost.link, Ending::given_up, "no room for what is sent or comes", step);
    }
    if (!session_.has_link(lost.link)) return;
    const bool was_open = session_.is_open();
    const Duration pause = was_open ? rotation_.broke() : rotation_.failed();
    end_session(step, pause, was_open ? "the connection broke" : "the connection was not accepted");
}

void ClientMachine::on(const Goodbye& goodbye, Step& step) {
    drop_link(step);
    end_session(step, rotation_.failed(), "the broker said goodbye: " + goodbye.reason);
}

/// In an open session a refusal may be about a question; then the session goes on.
void ClientMachine::on(const Refused& refused, Step& step) {
    const bool about_a_message =
        refused.reason == RefusedReason::malformed || refused.reason == RefusedReason::unauthorized;
    if (session_.is_open() && about_a_message) {
        if (const auto question = questions_.match_refused()) {
            if (!question->over) reply(question->ask.ticket, text_of(refused), step);
            return;
        }
    }
    refuse_session(refused, step);
}

void ClientMachine::refuse_session(const Refused& refused, Step& step) {
    const std::uint16_t address = rotation_.address();
    drop_link(step);
    const bool forgotten = refused.reason == RefusedReason::unknown_session;
    end_session(step, forgotten ? rotation_.broke() : rotation_.failed(), text_of(refused));
    if (!is_final(refused.reason)) return;
    refusals_[address] = refused;
    const bool all = std::all_of(refusals_.begin(), refusals_.end(),
                                 [](const auto& refusal) { return refusal.has_value(); });
    if (!all) return;
    const CallStatus status = refused.reason == RefusedReason::unauthorized
                                  ? CallStatus::unauthorized
                                  : CallStatus::unavailable;
    finish_all({status, last_problem_}, step);
    for (const Ask& ask : questions_.give_up(step.now)) reply(ask.ticket, last_problem_, step);
}

/// The broker takes no more calls: go when it has answered what it has, or has had its time for
/// it and all of the rest may run twice.
void ClientMachine::leave_if_idle(Step& step) {
    if (!session_.leave_at) return;
    const auto may_go = [](const OpenCall* call) { return call->what.idempotent; };
    const bool late = step.now >= *session_.leave_at;
    if (late && !std::ranges::all_of(calls_.sent(), may_go)) {
        session_.leave_at = step.now + session_.welcome.timing.lost_after();
        return;
    }
    if (calls_.sent_count() > 0 && !late) return;
    transmit(Goodbye{"the broker is draining"}, step);
    drop_link(step);
    end_session(step, rotation_.failed(), "the broker is draining");
}

void ClientMachine::drop_link(Step& step) { step.out.push_back(CloseLink{session_.link}); }

/// The link is dead. Sent calls stay where they are until a broker says what it knows of them.
void ClientMachine::end_session(Step& step, Duration pause, std::string problem) {
    const bool was_open = session_.is_open();
    if (was_open) {
        unreachable_since_ = step.now;
        demand_.forget_asks();
        questions_.session_ended();
        for (OpenCall* call : calls_.sent()) {
            if (!call->download) continue;
            step.out.push_back(DropPayload{call->download->answer.payload});
            call->download.reset();
        }
    }
    session_ = BrokerSession{};
    session_.until = step.now + pause;
    last_problem_ = std::move(problem);
    step.out.push_back(Note{was_open ? NoteLevel::warning : NoteLevel::debug, last_problem_});
}

// ---- bulk socket ------------------------------------------------------------------------------

void ClientMachine::open_bulk(Step& step) {
    if (session_.bulk != Bulk::none) return;
    session_.bulk = Bulk::opening;
    session_.bulk_until = step.now + options_.back_off.connect_timeout;
    const Welcome& welcome = session_.welcome;
    step.out.push_back(
        OpenBulk{session_.link, welcome.bulk_url, welcome.session, welcome.bulk_secret});
}

void ClientMachine::on(const Attach& attach, Step& step) {
    if (session_.bulk != Bulk::opening || attach.session != session_.welcome.session) return;
    session_.bulk = Bulk::attached;
    for (OpenCall* call : calls_.sent()) {
        if (call->download) grant_more(*call, step);
        if (call->upload) send_chunks(*call, step);
    }
}

// ---- nobody there -----------------------------------------------------------------------------

std::optional<TimePoint> ClientMachine::give_up_at() const {
    if (session_.is_open()) return std::nullopt;
    std::optional<TimePoint> oldest = questions_.oldest();
    if (const OpenCall* call = calls_.first_unplaced()) oldest = earliest(oldest, call->submitted);
    if (!oldest) return std::nullopt;
    return std::max(*oldest, unreachable_since_) + options_.give_up_after;
}

void ClientMachine::give_up(Step& step) {
    const auto due = give_up_at();
    if (!due || *due > step.now) return;
    const TimePoint asked = step.now - options_.give_up_after;
    const auto text = [&](TimePoint since) {
        return unreachable_text(options_.addresses, step.now - std::max(since, unreachable_since_),
                                last_problem_);
    };
    while (const OpenCall* first = calls_.first_unplaced()) {
        OpenCall& call = *calls_.find(first->what.id);
        if (call.submitted > asked) break;
        std::string detail = text(call.submitted);
        if (call.state == OpenCall::State::sent) {
            detail += "; the call was sent before that and may have run";
        }
        finish(call, {CallStatus::unavailable, std::move(detail)}, step);
    }
    for (const Ask& ask : questions_.give_up(asked)) reply(ask.ticket, text(asked), step);
}

void ClientMachine::on(const Shutdown&, Step& step) {
    if (session_.phase == Phase::closed) return;
    for (const OpenCall& call : calls_.by_age()) cancel_where_it_is(call, step);
    finish_all({CallStatus::cancelled, "the client was shut down"}, step);
    for (const Ask& ask : questions_.give_up(step.now)) {
        reply(ask.ticket, "the client was shut down", step);
    }
    while (!direct_.empty()) {
        leave_direct(direct_.begin()->second, "the client was shut down", step);
    }
    if (session_.is_open()) transmit(Goodbye{"the client was shut down"}, step);
    if (session_.link) drop_link(step);
    session_ = BrokerSession{};
    session_.phase = Phase::closed;
}

}  // namespace farm
