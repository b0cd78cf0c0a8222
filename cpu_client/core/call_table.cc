#include "cpu_client/core/call_table.h"

#include <iterator>

#include "common/core/expect.h"

namespace farm {
namespace {

template <class Heap>
OpenCall* first_of(const Heap& heap) {
    return heap.empty() ? nullptr : heap.next_key();
}

}  // namespace

OpenCall* CallTable::find(const CallId& id) {
    const auto* const place = by_id_.find(id);
    return place == nullptr ? nullptr : &**place;
}

OpenCall& CallTable::add(Submit&& what, TimePoint submitted) {
    if (spare_.empty()) spare_.emplace_back();
    by_age_.splice(by_age_.end(), spare_, spare_.begin());
    OpenCall& kept = by_age_.back();
    kept = OpenCall{};
    kept.what = std::move(what);
    kept.submitted = submitted;
    kept.sequence = next_sequence_++;
    FARM_EXPECT(by_id_.try_emplace(kept.what.id, std::prev(by_age_.end())).second);
    input_bytes_ += kept.what.input_bytes;
    deadlines_.set(&kept, {kept.what.deadline, kept.sequence});
    enter_ready(kept);
    return kept;
}

void CallTable::erase(OpenCall& call) {
    leave_state(call);
    deadlines_.cancel(&call);
    input_bytes_ -= call.what.input_bytes;
    spare_.splice(spare_.begin(), by_age_, by_id_.at(call.what.id));
    by_id_.erase(call.what.id);
}

void CallTable::enter_ready(OpenCall& call) {
    const Rank rank{call.what.priority, call.sequence};
    call.state = OpenCall::State::ready;
    if (call.chunked()) {
        ready_chunked_.emplace(rank, &call);
    } else {
        ready_small_.set(&call, rank);
    }
}

void CallTable::leave_state(OpenCall& call) {
    switch (call.state) {
        case OpenCall::State::ready:
            ready_small_.cancel(&call);
            if (call.chunked()) ready_chunked_.erase(Rank{call.what.priority, call.sequence});
            break;
        case OpenCall::State::pausing: pausing_.cancel(&call); break;
        case OpenCall::State::sent: --sent_count_; break;
        case OpenCall::State::direct: break;
    }
}

void CallTable::make_ready(OpenCall& call) {
    leave_state(call);
    enter_ready(call);
}

void CallTable::make_sent(OpenCall& call) {
    leave_state(call);
    call.state = OpenCall::State::sent;
    ++sent_count_;
}

void CallTable::make_direct(OpenCall& call) {
    leave_state(call);
    call.state = OpenCall::State::direct;
}

void CallTable::make_pausing(OpenCall& call, TimePoint retry_at) {
    leave_state(call);
    call.state = OpenCall::State::pausing;
    call.retry_at = retry_at;
    pausing_.set(&call, {retry_at, call.sequence});
}

OpenCall* CallTable::first_ready_small() const { return first_of(ready_small_); }

const OpenCall* CallTable::first_unplaced() const {
    for (const OpenCall& call : by_age_) {
        if (call.state != OpenCall::State::direct) return &call;
    }
    return nullptr;
}

std::vector<OpenCall*> CallTable::sent() {
    std::vector<OpenCall*> sent;
    for (OpenCall& call : by_age_) {
        if (call.state == OpenCall::State::sent) sent.push_back(&call);
    }
    return sent;
}

OpenCall* CallTable::first_deadline() const { return first_of(deadlines_); }
OpenCall* CallTable::first_pausing() const { return first_of(pausing_); }

}  // namespace farm
