#include "gpu_worker/core/held_calls.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm {

HeldCall& HeldCalls::add(HeldCall call) {
    const CallKey key = call.key;
    deadlines_.set(key, call.deadline);
    const auto [place, fresh] = calls_.emplace(key, std::move(call));
    FARM_EXPECT(fresh);
    return place->second;
}

HeldCall* HeldCalls::find(const CallKey& key) {
    const auto found = calls_.find(key);
    return found == calls_.end() ? nullptr : &found->second;
}

void HeldCalls::erase(const CallKey& key) {
    deadlines_.cancel(key);
    calls_.erase(key);
}

void HeldCalls::started(HeldCall& call) {
    call.state = HeldCall::State::running;
    deadlines_.cancel(call.key);
}

std::vector<CallKey> HeldCalls::attempts(const CallId& id) const {
    std::vector<CallKey> keys;
    for (std::uint8_t attempt = 1; attempt <= limits::attempt_count; ++attempt) {
        if (calls_.contains({id, attempt})) keys.push_back({id, attempt});
    }
    return keys;
}

std::vector<CallKey> HeldCalls::asked_by(std::size_t broker) const {
    std::vector<CallKey> keys;
    for (const auto& [key, call] : calls_) {
        if (call.asked_by(broker)) keys.push_back(key);
    }
    std::ranges::sort(keys);
    return keys;
}

}  // namespace farm
