#include "gpu_worker/core/batcher.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "common/core/expect.h"

namespace farm {

bool Batcher::Later::operator()(const WaitingCall& a, const WaitingCall& b) const {
    return std::tie(a.priority, a.deadline, a.arrived, a.key) <
           std::tie(b.priority, b.deadline, b.arrived, b.key);
}

void Batcher::add(const WaitingCall& call) {
    Order::iterator place;
    if (spare_.empty()) {
        place = order_.insert(call).first;
    } else {
        spare_.value() = call;
        place = order_.insert(std::move(spare_)).position;
    }
    FARM_EXPECT(places_.try_emplace(call.key, place).second);
    waiting_rows_[call.shape_class] += call.rows;
}

bool Batcher::remove(const CallKey& key) {
    const Order::iterator* const found = places_.find(key);
    if (found == nullptr) return false;
    const Order::iterator place = *found;
    std::uint64_t& rows = waiting_rows_.at(place->shape_class);
    rows -= place->rows;
    if (rows == 0) waiting_rows_.erase(place->shape_class);
    places_.erase(key);
    spare_ = order_.extract(place);
    return true;
}

std::vector<CallKey> Batcher::take(TimePoint now, std::uint32_t most_rows) {
    if (order_.empty()) return {};
    if (limits_.rule == BatchRule::none) {  // nobody shares a run, so nobody waits for company
        const CallKey first = order_.begin()->key;
        remove(first);
        return {first};
    }
    if (limits_.max_rows != 0) most_rows = std::min(most_rows, limits_.max_rows);
    std::vector<Forming> runs = form(most_rows);
    const auto ready =
        std::ranges::find_if(runs, [&](const Forming& r) { return is_ready(r, now); });
    if (ready == runs.end()) return {};
    std::vector<CallKey> keys = std::move(ready->keys);
    if (ready->preferred_count > 0) keys.resize(ready->preferred_count);
    for (const CallKey& key : keys) remove(key);
    return keys;
}

std::optional<Batcher::Company> Batcher::first_company() const {
    if (order_.empty()) return std::nullopt;
    const std::uint64_t shape_class = order_.begin()->shape_class;
    return Company{shape_class, static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                    waiting_rows_.at(shape_class), UINT32_MAX))};
}

std::optional<TimePoint> Batcher::ready_at() const {
    if (order_.empty()) return std::nullopt;
    TimePoint oldest = TimePoint::max();
    for (const WaitingCall& call : order_) oldest = std::min(oldest, call.arrived);
    return oldest + limits_.max_queue_delay;
}

std::vector<CallKey> Batcher::keys() const {
    std::vector<CallKey> all;
    for (const WaitingCall& call : order_) all.push_back(call.key);
    return all;
}

/// One run per shape class, in the order of their first calls. Without a delay the first one is
/// ready, so nobody asks for the others.
std::vector<Batcher::Forming> Batcher::form(std::uint32_t most_rows) const {
    std::vector<Forming> runs;
    std::unordered_map<std::uint64_t, std::size_t> run_of_class;
    for (const WaitingCall& call : order_) {
        if (call.suspect) {
            runs.emplace_back().oldest = call.arrived;
            join(runs.back(), call, most_rows);
            runs.back().closed = true;
            if (runs.size() == 1) return runs;
            continue;
        }
        const auto [place, fresh] = run_of_class.try_emplace(call.shape_class, runs.size());
        if (fresh) {
            if (!runs.empty() && limits_.max_queue_delay == Duration{0}) continue;
            runs.emplace_back().oldest = call.arrived;
        }
        if (place->second >= runs.size()) continue;  // a class that is not asked for
        join(runs[place->second], call, most_rows);
        if (runs.front().closed) return runs;
    }
    return runs;
}

void Batcher::join(Forming& run, const WaitingCall& call, std::uint32_t most_rows) const {
    run.oldest = std::min(run.oldest, call.arrived);
    if (run.closed) return;
    const std::uint64_t rows = std::uint64_t{run.rows} + call.rows;
    const bool fits = rows <= most_rows &&
                      (limits_.max_bytes == 0 || run.bytes + call.bytes <= limits_.max_bytes);
    if (!run.keys.empty() && !fits) {
        run.closed = true;
        return;
    }
    run.keys.push_back(call.key);
    run.rows = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows, UINT32_MAX));
    run.bytes += call.bytes;
    if (std::ranges::find(limits_.preferred_rows, run.rows) != limits_.preferred_rows.end()) {
        run.preferred_count = run.keys.size();
    }
    if (run.rows >= most_rows) run.closed = true;
}

bool Batcher::is_ready(const Forming& run, TimePoint now) const {
    return run.closed || run.preferred_count > 0 || now >= run.oldest + limits_.max_queue_delay;
}

}  // namespace farm
