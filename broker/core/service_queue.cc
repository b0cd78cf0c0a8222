#include "broker/core/service_queue.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm {

void ServiceQueue::push(QueuedCall call) {
    auto& turns = levels_[call.priority].turns;
    auto tenant = std::find_if(turns.begin(), turns.end(),
                               [&](const Tenant& t) { return t.name == call.tenant; });
    if (tenant == turns.end()) tenant = turns.insert(turns.end(), Tenant{call.tenant, {}, {}});
    tenant->by_deadline.emplace(call.deadline, call.id);
    size_bytes_ += call.size_bytes;
    total_cost_ += call.cost;
    const CallId id = call.id;
    const bool fresh = calls_.emplace(id, std::move(call)).second;
    FARM_ENSURE(fresh);
}

const QueuedCall* ServiceQueue::head() {
    if (levels_.empty()) return nullptr;
    auto& turns = levels_.begin()->second.turns;
    const auto head_of = [&](const Tenant& tenant) -> const QueuedCall& {
        return calls_.at(tenant.by_deadline.begin()->second);
    };
    if (turns.size() == 1) return &head_of(turns.front());

    // Whole rounds in which nobody could afford its head are granted at once.
    auto rounds = Duration::max().count();
    for (const Tenant& tenant : turns) {
        const Duration missing = head_of(tenant).cost - tenant.deficit;
        const auto needed = missing.count() <= 0 ? 0 : (missing.count() - 1) / quantum.count() + 1;
        rounds = std::min(rounds, needed);
    }
    if (rounds > 1) {
        for (Tenant& tenant : turns) tenant.deficit += quantum * (rounds - 1);
    }
    while (turns.front().deficit < head_of(turns.front()).cost) {
        turns.push_back(std::move(turns.front()));
        turns.pop_front();
        turns.front().deficit += quantum;
    }
    return &head_of(turns.front());
}

void ServiceQueue::pop_head() {
    const QueuedCall* call = head();
    FARM_EXPECT(call != nullptr);
    Tenant& tenant = levels_.begin()->second.turns.front();
    tenant.deficit = std::max(Duration{0}, tenant.deficit - call->cost);
    const CallId id = call->id;
    take(levels_.begin(), 0, id);
}

bool ServiceQueue::remove(CallId id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    const auto level = levels_.find(found->second.priority);
    auto& turns = level->second.turns;
    const auto tenant = std::find_if(turns.begin(), turns.end(), [&](const Tenant& t) {
        return t.name == found->second.tenant;
    });
    take(level, static_cast<std::size_t>(tenant - turns.begin()), id);
    return true;
}

void ServiceQueue::take(std::map<std::uint8_t, Level>::iterator level, std::size_t tenant,
                        CallId id) {
    const auto found = calls_.find(id);
    auto& turns = level->second.turns;
    turns[tenant].by_deadline.erase({found->second.deadline, id});
    // A tenant that has nothing waiting keeps no claim on device time.
    if (turns[tenant].by_deadline.empty())
        turns.erase(turns.begin() + static_cast<std::ptrdiff_t>(tenant));
    if (turns.empty()) levels_.erase(level);
    size_bytes_ -= found->second.size_bytes;
    total_cost_ -= found->second.cost;
    calls_.erase(found);
}

const QueuedCall* ServiceQueue::find(CallId id) const {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

std::optional<TimePoint> ServiceQueue::oldest_arrival() const {
    std::optional<TimePoint> oldest;
    for (const auto& [id, call] : calls_) oldest = earliest(oldest, call.arrived);
    return oldest;
}

}  // namespace farm
