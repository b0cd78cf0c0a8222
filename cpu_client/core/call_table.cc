#include "cpu_client/core/call_table.h"

#include "common/core/expect.h"

namespace farm {
namespace {

template <class Map>
OpenCall* first_of(const Map& map) {
    return map.empty() ? nullptr : map.begin()->second;
}

}  // namespace

OpenCall* CallTable::find(const CallId& id) {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

OpenCall& CallTable::add(OpenCall call) {
    call.sequence = next_sequence_++;
    call.state = OpenCall::State::ready;
    const auto [place, added] = calls_.emplace(call.what.id, std::move(call));
    FARM_EXPECT(added);
    OpenCall& kept = place->second;
    input_bytes_ += kept.what.input_bytes;
    by_age_.emplace_hint(by_age_.end(), kept.sequence, &kept);
    deadlines_.emplace(Due{kept.what.deadline, kept.sequence}, &kept);
    ready_[kept.chunked()].emplace(Rank{kept.what.priority, kept.sequence}, &kept);
    return kept;
}

void CallTable::erase(OpenCall& call) {
    leave_state(call);
    by_age_.erase(call.sequence);
    deadlines_.erase(Due{call.what.deadline, call.sequence});
    input_bytes_ -= call.what.input_bytes;
    const CallId id = call.what.id;
    calls_.erase(id);
}

void CallTable::leave_state(OpenCall& call) {
    switch (call.state) {
        case OpenCall::State::ready:
            ready_[call.chunked()].erase(Rank{call.what.priority, call.sequence});
            break;
        case OpenCall::State::pausing: pausing_.erase(Due{call.retry_at, call.sequence}); break;
        case OpenCall::State::sent: sent_.erase(call.sequence); break;
        case OpenCall::State::direct: break;
    }
}

void CallTable::make_ready(OpenCall& call) {
    leave_state(call);
    call.state = OpenCall::State::ready;
    ready_[call.chunked()].emplace(Rank{call.what.priority, call.sequence}, &call);
}

void CallTable::make_sent(OpenCall& call) {
    leave_state(call);
    call.state = OpenCall::State::sent;
    sent_.emplace_hint(sent_.end(), call.sequence, &call);
}

void CallTable::make_direct(OpenCall& call) {
    leave_state(call);
    call.state = OpenCall::State::direct;
}

void CallTable::make_pausing(OpenCall& call, TimePoint retry_at) {
    leave_state(call);
    call.state = OpenCall::State::pausing;
    call.retry_at = retry_at;
    pausing_.emplace(Due{retry_at, call.sequence}, &call);
}

OpenCall* CallTable::first_ready_small() const { return first_of(ready_[false]); }

OpenCall* CallTable::first_unplaced() const {
    for (const auto& [sequence, call] : by_age_) {
        if (call->state != OpenCall::State::direct) return call;
    }
    return nullptr;
}

OpenCall* CallTable::first_deadline() const { return first_of(deadlines_); }
OpenCall* CallTable::first_pausing() const { return first_of(pausing_); }

}  // namespace farm
