#include "gpu_worker/core/held_calls.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm {

HeldCall& HeldCalls::add(HeldCall call) {
    HeldCall* const added = storage_.take();
    *added = std::move(call);
    FARM_EXPECT(by_key_.try_emplace(added->key, added).second);
    deadlines_.set(added->key, added->deadline);
    return *added;
}

HeldCall* HeldCalls::find(const CallKey& key) {
    HeldCall** const found = by_key_.find(key);
    return found == nullptr ? nullptr : *found;
}

void HeldCalls::erase(HeldCall& call) {
    deadlines_.cancel(call.key);
    by_key_.erase(call.key);
    storage_.give_back(&call);
}

void HeldCalls::started(HeldCall& call) {
    call.state = HeldCall::State::running;
    deadlines_.cancel(call.key);
}

std::vector<CallKey> HeldCalls::attempts(const CallId& id) const {
    std::vector<CallKey> keys;
    for (std::uint8_t attempt = 1; attempt <= limits::attempt_count; ++attempt) {
        if (by_key_.contains({id, attempt})) keys.push_back({id, attempt});
    }
    return keys;
}

std::vector<CallKey> HeldCalls::asked_by(std::size_t broker) const {
    std::vector<CallKey> keys;
    for (const auto& [key, call] : by_key_) {
        if (call->asked_by(broker)) keys.push_back(key);
    }
    std::ranges::sort(keys);
    return keys;
}

}  // namespace farm
