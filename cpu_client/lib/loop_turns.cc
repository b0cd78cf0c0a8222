#include "cpu_client/lib/loop_turns.h"

#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "common/net/all_signals_blocked.h"

namespace farm {
namespace {

std::chrono::steady_clock::time_point on_steady_clock(TimePoint time) {
    return std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(time.time_since_epoch()));
}

bool is_past(std::optional<TimePoint> until) { return until && steady_now() >= *until; }

}  // namespace

bool LoopTurns::may_lead() const {
    return leader_ == std::thread::id{} || leader_ == std::this_thread::get_id();
}

bool LoopTurns::wait(Awaited& awaited, std::optional<TimePoint> until) {
    Lock lock(mutex_);
    for (bool first = true; !awaited.ready && (first || !is_past(until)); first = false) {
        if (may_lead()) {
            lead_until(lock, awaited, until);
            continue;
        }
        std::condition_variable sleep;
        const auto place = sleepers_.insert(sleepers_.end(), &sleep);
        awaited.sleeper = &sleep;
        if (background_leads_) loop_.wake();  // it steps down when somebody waits
        if (until) {
            sleep.wait_until(lock, on_steady_clock(*until));
        } else {
            sleep.wait(lock);
        }
        awaited.sleeper = nullptr;
        sleepers_.erase(place);
    }
    hand_over();
    return awaited.ready;
}

void LoopTurns::lead_until(Lock& lock, const Awaited& awaited, std::optional<TimePoint> until) {
    const std::thread::id before = leader_;
    leader_ = std::this_thread::get_id();
    do {
        run_turn(lock, until);
    } while (!awaited.ready && !is_past(until));
    leader_ = before;
}

void LoopTurns::run_turn(Lock& lock, std::optional<TimePoint> until) {
    holds_ = false;
    lock.unlock();
    loop_.turn(until);
    lock.lock();
    last_turn_ = steady_now();
}

/// With nobody leading, the first who sleeps must; else the background thread, if it is counted on
/// or there are orders that came too late for the last turn.
void LoopTurns::hand_over() {
    if (leader_ != std::thread::id{}) return;
    if (!sleepers_.empty()) {
        sleepers_.front()->notify_one();
    } else if (loop_.hurry() || (loop_.has_orders() && !holds_)) {
        background_wakes_.notify_one();
    }
}

void LoopTurns::make_ready(Awaited& awaited) {
    awaited.ready = true;
    if (awaited.sleeper != nullptr) awaited.sleeper->notify_one();
}

void LoopTurns::nudge() {
    Lock lock(mutex_);
    if (leader_ != std::thread::id{}) {
        loop_.wake();
        return;
    }
    send(lock);
}

void LoopTurns::nudge_later() {
    Lock lock(mutex_);
    if (leader_ != std::thread::id{}) return loop_.wake();
    if (!std::exchange(holds_, true)) held_since_ = steady_now();
    if (!std::exchange(looks_often_, true)) background_wakes_.notify_one();
}

void LoopTurns::send(Lock& lock) {
    leader_ = std::this_thread::get_id();
    run_turn(lock, TimePoint{});
    leader_ = {};
    hand_over();
}

// ---- background -------------------------------------------------------------------------------

Result<void> LoopTurns::start_background(std::shared_ptr<void> keeps_alive) {
    if (stopping_ || background_.joinable()) return {};
    try {
        const AllSignalsBlocked guard;
        background_ = std::thread([this, owner = std::move(keeps_alive)] { background(); });
        return {};
    } catch (const std::system_error& error) {
        return fail(ErrorCode::unavailable,
                    std::string("this process can have no more threads (") + error.what() +
                        "): raise its limit, or make its clients without a background thread");
    }
}

void LoopTurns::stop_background() {
    std::thread ending;
    {
        Lock lock(mutex_);
        stopping_ = true;
        background_wakes_.notify_one();
        if (background_leads_) loop_.wake();
        ending = std::move(background_);
    }
    if (!ending.joinable()) return;
    if (ending.get_id() == std::this_thread::get_id()) {
        ending.detach();
    } else {
        ending.join();
    }
}

void LoopTurns::background() {
    Lock lock(mutex_);
    while (!stopping_) {
        const bool nobody_leads = leader_ == std::thread::id{} && sleepers_.empty();
        const TimePoint now = steady_now();
        if (nobody_leads && (loop_.hurry() || now - last_turn_ >= idle_time)) {
            lead_in_background(lock);
        } else if (nobody_leads && loop_.has_orders() &&
                   (!holds_ || now - held_since_ >= gather_time)) {
            send(lock);
        } else {
            looks_often_ = now - held_since_ < idle_time;
            background_wakes_.wait_for(lock, looks_often_ ? gather_time : idle_time);
        }
    }
}

void LoopTurns::lead_in_background(Lock& lock) {
    leader_ = std::this_thread::get_id();
    background_leads_ = true;
    while (!stopping_ && sleepers_.empty()) run_turn(lock, std::nullopt);
    background_leads_ = false;
    leader_ = {};
    hand_over();
}

}  // namespace farm
