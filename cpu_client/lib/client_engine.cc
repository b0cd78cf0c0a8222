#include "cpu_client/lib/client_engine.h"

#include <utility>

#include "cpu_client/lib/unpack_answer.h"

namespace farm {
namespace {

constexpr std::uint32_t retry_when_full_ms = 100;

Inference overloaded(CallId id, std::string detail) {
    Inference refused;
    refused.id = id;
    refused.status = CallStatus::overloaded;
    refused.detail = std::move(detail);
    refused.retry_after_ms = retry_when_full_ms;
    return refused;
}

/// A callback that throws breaks its contract, and the state of whoever leads: that is the end.
void call_back(const InferenceCallback& callback, Inference inference) noexcept {
    if (callback) callback(std::move(inference));
}

}  // namespace

bool await(ClientEngine& engine, Awaited& awaited, std::optional<TimePoint> until) {
    return engine.turns().wait(awaited, until);
}

bool is_ready(ClientEngine& engine, const Awaited& awaited) {
    std::lock_guard lock(engine.turns().mutex());
    return awaited.ready;
}

ClientEngine::ClientEngine(Options options)
    : rim_(std::move(options.parts), {[this](const Complete& complete, Payload payload) {
                                          completed_.emplace_back(complete, std::move(payload));
                                      },
                                      [this](Reply reply) { replies_.push_back(std::move(reply)); },
                                      [this](const Note& note) {
                                          if (log_) log_(note.level, note.text);
                                      }}),
      log_(std::move(options.log)),
      background_thread_(options.background_thread),
      turns_({[this](std::optional<TimePoint> until) { turn(until); },
              [this] { rim_.waker().wake(); }, [this] { return !inbox_.empty(); },
              [this] { return callback_count_ > 0; }}) {}

// ---- calls ------------------------------------------------------------------------------------

Future<Inference> ClientEngine::infer(Submit&& submit, Payload&& payload) {
    const CallId id = submit.id;
    auto slot = std::make_shared<Slot>();
    start(slot, std::move(submit), std::move(payload));
    return Future<Inference>(shared_from_this(), std::move(slot), id);
}

void ClientEngine::infer(Submit&& submit, Payload&& payload, InferenceCallback callback) {
    auto slot = std::make_shared<Slot>();
    slot->callback = std::move(callback);
    slot->has_callback = true;
    start(slot, std::move(submit), std::move(payload));
}

Future<Inference> ClientEngine::refuse(Inference inference) {
    auto slot = std::make_shared<Slot>();
    const CallId id = inference.id;
    slot->value = std::move(inference);
    slot->ready = true;
    return Future<Inference>(shared_from_this(), std::move(slot), id);
}

/// On this thread and at once: nothing is under way that could call back later.
void ClientEngine::refuse(Inference inference, InferenceCallback callback) {
    call_back(callback, std::move(inference));
}

void ClientEngine::start(const std::shared_ptr<Slot>& slot, Submit&& submit, Payload&& payload) {
    slot->submitted = steady_now();
    std::unique_lock lock(turns_.mutex());
    if (!has_room_for(submit)) {
        return fulfil(std::move(lock), *slot,
                      overloaded(submit.id, "too many calls or bytes wait in this client"));
    }
    if (auto started = start_background(); !started) {
        return fulfil(std::move(lock), *slot,
                      overloaded(submit.id, std::move(started.error().message)));
    }
    const bool waits = follow_ups_.waits(submit.input_bytes, inbox_.size() + 1);
    slots_.try_emplace(submit.id, slot);
    if (slot->has_callback) ++callback_count_;
    inbox_bytes_ += submit.input_bytes;
    inbox_.push_back(NewCall{std::move(submit), std::move(payload)});
    lock.unlock();
    if (waits && background_thread_) return turns_.nudge_later();
    turns_.nudge();
}

Result<void> ClientEngine::start_background() {
    if (!background_thread_ || turns_.has_background()) return {};
    return turns_.start_background(shared_from_this());
}

bool ClientEngine::has_room_for(const Submit& submit) const {
    if (inbox_.empty()) return true;
    return inbox_.size() < limits::waiting_calls_per_client_count &&
           inbox_bytes_ + submit.input_bytes <= limits::waiting_bytes_per_client;
}

/// Once for each call, which bounds the inbox.
void ClientEngine::cancel(CallId id) {
    {
        std::lock_guard lock(turns_.mutex());
        const auto* const slot = slots_.find(id);
        if (slot == nullptr || std::exchange((*slot)->cancelled, true)) return;
    }
    order(CancelCall{id});
}

void ClientEngine::order(Order what) {
    {
        std::lock_guard lock(turns_.mutex());
        inbox_.push_back(std::move(what));
    }
    turns_.nudge();
}

Result<Message> ClientEngine::ask(Message question, Duration timeout) {
    auto state = std::make_shared<FutureState<Reply>>();
    const TimePoint deadline = steady_now() + timeout;
    std::uint64_t ticket = 0;
    {
        std::lock_guard lock(turns_.mutex());
        ticket = ++last_ticket_;
        questions_.emplace(ticket, state);
    }
    order(Ask{ticket, std::move(question), deadline});
    turns_.wait(*state, std::nullopt);
    if (state->value->answer) return *std::move(state->value->answer);
    return fail(ErrorCode::unavailable, state->value->problem);
}

bool ClientEngine::wait_for_session(Duration timeout) {
    auto wanted = std::make_shared<Awaited>();
    {
        std::lock_guard lock(turns_.mutex());
        session_wanted_ = wanted;
    }
    turns_.nudge();  // there may be one already
    return turns_.wait(*wanted, steady_now() + timeout);
}

void ClientEngine::shut_down() {
    auto closed = std::make_shared<Awaited>();
    {
        std::lock_guard lock(turns_.mutex());
        closed_ = closed;
    }
    order(Shutdown{});
    turns_.wait(*closed, std::nullopt);
    turns_.stop_background();
}

// ---- the leader's -----------------------------------------------------------------------------

void ClientEngine::turn(std::optional<TimePoint> until) {
    const bool only_sends = until && *until == TimePoint{};
    if (!only_sends) rim_.sleep(has_orders() ? TimePoint{} : until);
    {
        std::lock_guard lock(turns_.mutex());
        orders_.swap(inbox_);
        inbox_bytes_ = 0;
    }
    rim_.begin_turn();
    bool closing = false;
    for (Order& what : orders_) {
        closing = closing || std::holds_alternative<Shutdown>(what);
        carry_out(what);
    }
    orders_.clear();
    if (!only_sends) rim_.receive();
    rim_.finish_turn();
    deliver_completed();
    std::lock_guard lock(turns_.mutex());
    deliver_replies();
    if (closing) turns_.make_ready(*closed_);
    if (session_wanted_ && rim_.has_session()) {
        turns_.make_ready(*std::exchange(session_wanted_, nullptr));
    }
}

bool ClientEngine::has_orders() {
    std::lock_guard lock(turns_.mutex());
    return !inbox_.empty();
}

void ClientEngine::carry_out(Order& what) {
    if (auto* call = std::get_if<NewCall>(&what)) {
        rim_.submit(std::move(call->submit), std::move(call->payload));
    } else if (auto* cancelled = std::get_if<CancelCall>(&what)) {
        rim_.feed(*cancelled);
    } else if (auto* question = std::get_if<Ask>(&what)) {
        rim_.feed(*question);
    } else {
        rim_.feed(Shutdown{});
    }
}

/// One at a time: a callback may wait for another call, and so run a turn inside this one.
void ClientEngine::deliver_completed() {
    if (completed_.empty()) return;
    {
        std::lock_guard lock(turns_.mutex());
        follow_ups_.new_answers();
    }
    while (delivered_count_ < completed_.size()) {
        auto [complete, payload] = std::move(completed_[delivered_count_++]);
        deliver(complete, payload);
    }
    completed_.clear();
    delivered_count_ = 0;
}

void ClientEngine::deliver_replies() {
    if (replies_.empty()) return;
    for (Reply& reply : std::exchange(replies_, {})) {
        const auto found = questions_.find(reply.ticket);
        if (found == questions_.end()) continue;
        found->second->value = std::move(reply);
        turns_.make_ready(*found->second);
        questions_.erase(found);
    }
}

void ClientEngine::deliver(const Complete& complete, const Payload& payload) {
    Inference inference = unpack_answer(complete, payload);
    std::unique_lock lock(turns_.mutex());
    const std::shared_ptr<Slot> slot = std::move(slots_.at(complete.id));
    slots_.erase(complete.id);
    if (slot->has_callback) {
        --callback_count_;
    } else {
        follow_ups_.answered();
    }
    fulfil(std::move(lock), *slot, std::move(inference));
}

/// Lets go of the lock before it calls back.
void ClientEngine::fulfil(std::unique_lock<std::mutex> lock, Slot& slot, Inference&& inference) {
    inference.elapsed = steady_now() - slot.submitted;
    if (!slot.has_callback) {
        slot.value = std::move(inference);
        return turns_.make_ready(slot);
    }
    lock.unlock();
    call_back(slot.callback, std::move(inference));
}

}  // namespace farm
