#include "cpu_client/core/client_machine.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"
#include "cpu_client/core/unreachable_text.h"
#include "schemas/chunking.h"

namespace farm {
namespace {

constexpr std::uint32_t retry_when_full_ms = 100;
/// Chunked calls that wait, from the first in line, in search of one that can leave.
constexpr std::size_t most_looked_at = 64;

/// Rounded up, so that a broker never sees an expired call that has not expired here.
std::uint32_t remaining_ms(TimePoint deadline, TimePoint now) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, UINT32_MAX));
}

std::string count_text(std::uint64_t count, const char* unit) {
    return std::to_string(count) + " " + unit;
}

}  // namespace

// ---- submitting -------------------------------------------------------------------------------

void ClientMachine::on(const Submit& submit, Step& step) {
    FARM_EXPECT(calls_.find(submit.id) == nullptr);
    if (auto refusal = refusal_of(submit, step.now)) {
        if (submit.payload) step.out.push_back(DropPayload{submit.payload});
        Complete complete;
        complete.id = submit.id;
        complete.status = refusal->status;
        complete.detail = std::move(refusal->detail);
        complete.retry_after_ms = refusal->retry_after_ms;
        complete.attempts = 0;
        step.out.emplace_back(std::move(complete));
        return;
    }
    Submit what = submit;
    what.deadline = std::min(submit.deadline, step.now + limits::longest_deadline);
    calls_.add(std::move(what), step.now);
    budget_.call_submitted();
    demand_.submitted(submit, step.now);
}

/// Why this call cannot even wait here.
std::optional<Finish> ClientMachine::refusal_of(const Submit& submit, TimePoint now) const {
    if (session_.phase == BrokerSession::Phase::closed) {
        return Finish{CallStatus::cancelled, "the client has been shut down"};
    }
    if (!is_service_name(submit.service)) {
        return Finish{
            CallStatus::invalid,
            "model '" + submit.service.substr(0, limits::name_bytes) +
                "' is not a name (letters, digits, '_', '-', '.', at most one '/version', "
                "at most " +
                std::to_string(limits::name_bytes) + " bytes)"};
    }
    if (submit.input_bytes > limits::call_bytes) {
        return Finish{CallStatus::invalid, "inputs have " +
                                               count_text(submit.input_bytes, "bytes") +
                                               " (a call takes at most " +
                                               count_text(limits::call_bytes, "bytes") + ")"};
    }
    if (submit.deadline <= now) {
        return Finish{CallStatus::deadline, "the deadline had passed when the call was submitted"};
    }
    if (calls_.count() >= limits::waiting_calls_per_client_count) {
        return Finish{
            CallStatus::overloaded,
            count_text(calls_.count(), "calls") + " are unfinished in this client (the limit)",
            retry_when_full_ms};
    }
    const bool bytes_full =
        calls_.input_bytes() + submit.input_bytes > limits::waiting_bytes_per_client;
    if (calls_.count() > 0 && bytes_full) {
        return Finish{CallStatus::overloaded,
                      "unfinished calls of this client hold " +
                          count_text(calls_.input_bytes(), "bytes") + " (this one would pass " +
                          count_text(limits::waiting_bytes_per_client, "bytes") + ")",
                      retry_when_full_ms};
    }
    return std::nullopt;
}

// ---- sending ----------------------------------------------------------------------------------

void ClientMachine::send_ready(Step& step) {
    lease_wait_until_.reset();
    if (!may_route() && direct_.empty()) return;
    while (send_next(step)) {
    }
}

bool ClientMachine::send_next(Step& step) {
    OpenCall* small = calls_.first_ready_small();
    OpenCall* chunked = first_chunked(step);
    if (small != nullptr && chunked != nullptr) {
        const auto rank = [](const OpenCall& call) {
            return std::pair(call.what.priority, call.sequence);
        };
        OpenCall* first = rank(*small) < rank(*chunked) ? small : chunked;
        OpenCall* second = first == small ? chunked : small;
        return send_one(*first, step) || send_one(*second, step);
    }
    OpenCall* only = small != nullptr ? small : chunked;
    return only != nullptr && send_one(*only, step);
}

/// The first that can leave now; null: none. Chunked calls wait for a bulk socket or for room in a
/// lease, and do not hold up others that need not.
OpenCall* ClientMachine::first_chunked(Step& step) {
    lease_wait_until_.reset();
    std::size_t count = 0;
    for (const auto& [rank, call] : calls_.ready_chunked()) {
        if (++count > most_looked_at) break;
        if (direct_way(*call, step.now) != nullptr) return call;
        if (const auto end = lease_wait_end(*call, step.now)) {
            lease_wait_until_ = earliest(lease_wait_until_, end);
        } else if (may_route()) {
            open_bulk(step);
            if (session_.bulk == BrokerSession::Bulk::attached && has_sending_room()) return call;
        }
    }
    return nullptr;
}

/// True when it has left, or ended.
bool ClientMachine::send_one(OpenCall& call, Step& step) {
    if (DirectSession* worker = direct_way(call, step.now)) {
        if (!send(call, worker->welcome, worker->link, step)) return true;
        worker->uses.emplace(call.key(), DirectSession::Use{call.what.service, step.now});
        ++worker->leases.find(call.what.service)->second.in_flight;
        if (call.chunked() && !is_same_host(worker->link)) open_bulk(*worker, step);
        return true;
    }
    if (!may_route() || !has_sending_room()) return false;
    send(call, session_.welcome, session_.link, step);
    return true;
}

/// False: it did not leave but ended here.
bool ClientMachine::send(OpenCall& call, const Welcome& session, LinkId link, Step& step) {
    if (call.what.deadline <= step.now) {
        expire(call, step);
        return false;
    }
    const std::uint64_t largest = session.max_call_bytes;
    if (call.what.input_bytes > largest) {
        finish(call,
               {CallStatus::invalid, "inputs have " + count_text(call.what.input_bytes, "bytes") +
                                         " (this broker takes calls of at most " +
                                         count_text(largest, "bytes") + ")"},
               step);
        return false;
    }
    Call message;
    message.key = call.key();
    message.service = call.what.service;
    message.remaining_ms = remaining_ms(call.what.deadline, step.now);
    message.priority = call.what.priority;
    message.suspect = call.suspect;
    message.avoid = call.avoid;
    message.chunked = call.chunked() && !travels_whole(call, link);
    message.rows = call.what.rows;
    message.input_bytes = call.what.input_bytes;
    if (message.chunked) message.streamed_bytes = stream_bytes(call.what.large);
    message.max_result_bytes = call.what.max_result_bytes;
    message.payload = call.what.payload;
    if (message.chunked) call.upload.emplace(call.what.large, chunking_of(link));
    call.via = link;
    if (link == session_.link) {
        calls_.make_sent(call);
    } else {
        calls_.make_direct(call);
    }
    transmit(link, std::move(message), step);
    return true;
}

bool ClientMachine::travels_whole(const OpenCall& call, LinkId link) const {
    const Framing framing = framing_of(link);
    if (call.what.input_bytes > whole_bytes(framing)) return false;
    return framing == Framing::whole || (framing == Framing::direct && has_bulk(link));
}

const Chunking& ClientMachine::chunking_of(LinkId link) const {
    return link == session_.link ? routed_chunking : direct_chunking;
}

bool ClientMachine::is_live(LinkId link) const {
    if (session_.has_link(link)) return session_.is_open();
    const auto worker = direct_.find(link);
    return worker != direct_.end() && worker->second.is_open();
}

bool ClientMachine::has_bulk(LinkId link) const {
    const auto worker = direct_.find(link);
    const auto bulk = worker != direct_.end() ? worker->second.bulk : session_.bulk;
    return bulk == BrokerSession::Bulk::attached;
}

void ClientMachine::want_bulk(LinkId link, Step& step) {
    if (DirectSession* worker = direct_session(link)) return open_bulk(*worker, step);
    open_bulk(step);
}

void ClientMachine::on(const Send& grant, Step& step) {
    OpenCall* call = calls_.find(grant.key.id);
    if (call == nullptr || !call->is_under_way() || call->key() != grant.key) return;
    if (!call->upload) return;
    call->upload->grant(grant.granted_bytes);
    if (has_bulk(call->via)) send_chunks(*call, step);
}

void ClientMachine::send_chunks(OpenCall& call, Step& step) {
    while (const auto piece = call.upload->next()) {
        TransmitChunk chunk;
        chunk.link = call.via;
        chunk.key = call.key();
        chunk.payload = call.what.payload;
        chunk.frame = piece->frame;
        chunk.tensor = piece->tensor;
        chunk.offset = piece->offset;
        chunk.length = piece->length;
        step.out.push_back(chunk);
    }
}

// ---- answers ----------------------------------------------------------------------------------

void ClientMachine::on(const AnswerArrived& arrived, Step& step) {
    if (DirectSession* worker = direct_session(arrived.link)) {
        AnswerArrived told = arrived;
        note_answer(*worker, told.answer, step.now);
        return take(told, step);
    }
    if (is_live(arrived.link)) session_.heard = step.now;
    take(arrived, step);
}

void ClientMachine::take(const AnswerArrived& arrived, Step& step) {
    const Answer& answer = arrived.answer;
    OpenCall* call = is_live(arrived.link) ? calls_.find(answer.key.id) : nullptr;
    // While its bytes stream, all that can follow is the news that they will not come to an end.
    const bool expected = call != nullptr && call->is_under_way() && call->via == arrived.link &&
                          call->key() == answer.key &&
                          (!call->download || answer.outcome != Outcome::ok);
    if (!expected) {
        if (answer.payload) step.out.push_back(DropPayload{answer.payload});
        return;
    }
    if (answer.outcome == Outcome::ok && answer.chunked && stream_bytes(arrived.large) > 0) {
        return receive(*call, arrived, step);
    }
    conclude(*call, answer, step);
}

void ClientMachine::receive(OpenCall& call, const AnswerArrived& arrived, Step& step) {
    const std::uint64_t largest =
        call.what.max_result_bytes != 0 ? call.what.max_result_bytes : limits::call_bytes;
    const std::uint64_t size = stream_bytes(arrived.large);
    if (size > largest) {
        step.out.push_back(DropPayload{arrived.answer.payload});
        cancel_where_it_is(call, step);
        return finish(call,
                      {CallStatus::invalid, "the result has " + count_text(size, "bytes") +
                                                " (this call takes at most " +
                                                count_text(largest, "bytes") + ")"},
                      step);
    }
    call.download.emplace(
        Download{arrived.answer, IncomingTransfer(arrived.large, chunking_of(call.via))});
    step.out.push_back(ExpectFrames{arrived.answer.payload});
    want_bulk(call.via, step);
    if (has_bulk(call.via)) grant_more(call, step);
}

void ClientMachine::grant_more(OpenCall& call, Step& step) {
    if (const auto granted = call.download->transfer.next_grant()) {
        transmit(call.via, Send{call.key(), *granted}, step);
    }
}

void ClientMachine::on(const Chunk& chunk, Step& step) {
    OpenCall* call = calls_.find(chunk.key.id);
    const bool expected = call != nullptr && call->key() == chunk.key && call->download;
    if (!expected) {
        if (chunk.payload) step.out.push_back(DropPayload{chunk.payload});
        return;
    }
    Download& download = *call->download;
    const auto frame = download.transfer.accept(chunk.tensor, chunk.offset, chunk.length);
    if (!frame) {
        step.out.push_back(DropPayload{chunk.payload});
        cancel_where_it_is(*call, step);
        Answer broken;
        broken.key = chunk.key;
        broken.outcome = Outcome::retryable_fault;
        broken.worker = download.answer.worker;
        broken.repeatable = download.answer.repeatable;
        broken.detail = "the result's chunks do not fit together: " + frame.error().message;
        return conclude(*call, broken, step);
    }
    step.out.push_back(StoreChunk{chunk.payload, download.answer.payload, *frame, chunk.offset});
    if (!download.transfer.done()) return grant_more(*call, step);
    const Answer answer = std::exchange(call->download, std::nullopt)->answer;
    conclude(*call, answer, step);
}

void ClientMachine::conclude(OpenCall& call, const Answer& answer, Step& step) {
    Verdict verdict = judge(call, answer);
    if (answer.outcome != Outcome::ok && answer.payload) {
        step.out.push_back(DropPayload{answer.payload});
    }
    if (auto* finished = std::get_if<Finish>(&verdict)) {
        finish(call, std::move(*finished), step, answer);
    } else if (auto* again = std::get_if<TryAgain>(&verdict)) {
        try_again(call, answer, std::move(*again), step);
    } else if (auto* poisoned = std::get_if<Poisoned>(&verdict)) {
        poison(call, std::move(*poisoned), step);
    } else {
        broker_leaves(call, step);
    }
}

void ClientMachine::try_again(OpenCall& call, const Answer& answer, TryAgain again, Step& step) {
    if (call.attempt >= limits::attempt_count) {
        return finish(call, std::move(again.otherwise), step, answer);
    }
    const auto allowed = budget_.reserve(step.now, call.what.deadline);
    if (!allowed) {
        again.otherwise.detail += " (not sent again: this client's retry budget is spent)";
        return finish(call, std::move(again.otherwise), step, answer);
    }
    const TimePoint retry_at = std::max(*allowed, step.now + again.pause);
    if (retry_at >= call.what.deadline) {
        return finish(call, std::move(again.otherwise), step, answer);
    }
    reset_transfers(call, step);
    ++call.attempt;
    call.avoid = again.avoid;
    call.suspect = call.suspect || again.suspect;
    call.last_problem = std::move(again.otherwise.detail);
    if (retry_at <= step.now) {
        calls_.make_ready(call);
    } else {
        calls_.make_pausing(call, retry_at);
    }
}

void ClientMachine::poison(OpenCall& call, Poisoned poisoned, Step& step) {
    step.out.push_back(Quarantine{call.what.id, call.what.service,
                                  std::exchange(call.what.payload, {}), poisoned.detail});
    finish(call, {CallStatus::poison, std::move(poisoned.detail)}, step);
}

void ClientMachine::broker_leaves(OpenCall& call, Step& step) {
    reset_transfers(call, step);
    calls_.make_ready(call);
    if (!session_.leave_at) session_.leave_at = step.now + session_.welcome.timing.lost_after();
}

// ---- ending -----------------------------------------------------------------------------------

void ClientMachine::on(const CancelCall& cancel, Step& step) {
    OpenCall* call = calls_.find(cancel.id);
    if (call == nullptr) return;
    cancel_where_it_is(*call, step);
    finish(*call, {CallStatus::cancelled, "cancelled by its owner"}, step);
}

/// The deadline has passed. Without any broker since its submission, that is the better answer.
void ClientMachine::expire(OpenCall& call, Step& step) {
    cancel_where_it_is(call, step);
    const Duration allowed = call.what.deadline - call.submitted;
    const bool never_reached = !session_.is_open() && unreachable_since_ <= call.submitted &&
                               call.state != OpenCall::State::direct;
    if (never_reached) {
        return finish(
            call,
            {CallStatus::unavailable,
             unreachable_text(options_.addresses, step.now - call.submitted, last_problem_)},
            step);
    }
    std::string detail = "not finished within " + seconds_text(allowed);
    if (call.is_under_way()) {
        detail += " (attempt " + std::to_string(call.attempt) + " was under way)";
    }
    if (!call.last_problem.empty()) detail += "; attempt before: " + call.last_problem;
    finish(call, {CallStatus::deadline, std::move(detail)}, step);
}

void ClientMachine::cancel_where_it_is(const OpenCall& call, Step& step) {
    if (call.is_under_way() && is_live(call.via)) transmit(call.via, Cancel{call.what.id}, step);
}

void ClientMachine::reset_transfers(OpenCall& call, Step& step) {
    call.upload.reset();
    if (call.download) step.out.push_back(DropPayload{call.download->answer.payload});
    call.download.reset();
}

/// The one place where calls end after they were accepted.
void ClientMachine::finish(OpenCall& call, Finish finish, Step& step, const Answer& answer) {
    reset_transfers(call, step);
    if (call.what.payload) step.out.push_back(DropPayload{call.what.payload});
    Complete complete;
    complete.id = call.what.id;
    complete.status = finish.status;
    complete.detail = std::move(finish.detail);
    complete.retry_after_ms = finish.retry_after_ms;
    complete.attempts = call.attempt;
    complete.timings = answer.timings;
    if (finish.status == CallStatus::ok) complete.payload = answer.payload;
    step.out.emplace_back(std::move(complete));
    demand_.finished(call.what.service);
    calls_.erase(call);
}

void ClientMachine::finish_all(const Finish& why, Step& step) {
    while (!calls_.by_age().empty()) finish(calls_.by_age().front(), why, step);
}

// ---- questions --------------------------------------------------------------------------------

void ClientMachine::on(const Ask& ask, Step& step) {
    const bool a_question = std::holds_alternative<List>(ask.question) ||
                            std::holds_alternative<Status>(ask.question) ||
                            std::holds_alternative<Drain>(ask.question) ||
                            std::holds_alternative<Resolve>(ask.question);
    FARM_EXPECT(a_question);
    if (session_.phase == BrokerSession::Phase::closed) {
        return reply(ask.ticket, "the client has been shut down", step);
    }
    if (!questions_.add(ask, step.now)) {
        reply(
            ask.ticket,
            std::to_string(QuestionQueue::largest_count) + " questions are unanswered (the limit)",
            step);
    }
}

void ClientMachine::reply(std::uint64_t ticket, std::string problem, Step& step) {
    step.out.push_back(Reply{ticket, std::nullopt, std::move(problem)});
}

}  // namespace farm
