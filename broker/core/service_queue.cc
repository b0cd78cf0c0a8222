#include "broker/core/service_queue.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm {

void ServiceQueue::push(const QueuedCall& call, std::string_view tenant) {
    Turn& turn = turn_of(call.priority, tenant);
    turn.by_deadline.set(call.id, call.deadline);
    size_bytes_ += call.size_bytes;
    total_cost_ += call.cost;
    const bool is_fresh = calls_.try_emplace(call.id, {call, &turn}).second;
    FARM_ENSURE(is_fresh);
}

/// A tenant that comes is the last of its priority.
ServiceQueue::Turn& ServiceQueue::turn_of(std::uint8_t priority, std::string_view tenant) {
    const auto level = std::ranges::equal_range(turns_, priority, {}, &Turn::priority);
    const auto known = std::ranges::find(level, tenant, &Turn::tenant);
    if (known != level.end()) return **known;
    Turn* const turn = turn_storage_.take();
    turn->priority = priority;
    turn->tenant = tenant;
    turn->deficit = Duration{0};
    turns_.insert(level.end(), turn);
    return *turn;
}

std::span<ServiceQueue::Turn*> ServiceQueue::first_level() {
    const auto end =
        std::ranges::upper_bound(turns_, turns_.front()->priority, {}, &Turn::priority);
    return {turns_.begin(), end};
}

const QueuedCall* ServiceQueue::head() {
    if (turns_.empty()) return nullptr;
    const auto head_of = [&](const Turn* turn) -> const QueuedCall& {
        return calls_.at(turn->by_deadline.next_key()).call;
    };
    const std::span<Turn*> level = first_level();
    if (level.size() == 1) return &head_of(level.front());

    // Whole rounds in which nobody could afford its head are granted at once.
    auto rounds = Duration::max().count();
    for (const Turn* turn : level) {
        const Duration missing = head_of(turn).cost - turn->deficit;
        const auto needed = missing.count() <= 0 ? 0 : (missing.count() - 1) / quantum.count() + 1;
        rounds = std::min(rounds, needed);
    }
    if (rounds > 1) {
        for (Turn* turn : level) turn->deficit += quantum * (rounds - 1);
    }
    while (level.front()->deficit < head_of(level.front()).cost) {
        std::ranges::rotate(level, level.begin() + 1);
        level.front()->deficit += quantum;
    }
    return &head_of(level.front());
}

void ServiceQueue::pop_head() {
    const QueuedCall* call = head();
    FARM_EXPECT(call != nullptr);
    Turn& turn = *turns_.front();
    turn.deficit = std::max(Duration{0}, turn.deficit - call->cost);
    take(call->id);
}

bool ServiceQueue::remove(CallId id) {
    if (!calls_.contains(id)) return false;
    take(id);
    return true;
}

void ServiceQueue::take(CallId id) {
    const Waiting& waiting = calls_.at(id);
    Turn* const turn = waiting.turn;
    size_bytes_ -= waiting.call.size_bytes;
    total_cost_ -= waiting.call.cost;
    calls_.erase(id);
    turn->by_deadline.cancel(id);
    if (!turn->by_deadline.empty()) return;
    // A tenant that has nothing waiting keeps no claim on device time.
    turns_.erase(std::ranges::find(turns_, turn));
    turn_storage_.give_back(turn);
}

const QueuedCall* ServiceQueue::find(CallId id) const {
    const Waiting* found = calls_.find(id);
    return found == nullptr ? nullptr : &found->call;
}

std::optional<TimePoint> ServiceQueue::oldest_arrival() const {
    std::optional<TimePoint> oldest;
    for (const auto& [id, waiting] : calls_) oldest = earliest(oldest, waiting.call.arrived);
    return oldest;
}

}  // namespace farm
