#include "gpu_worker/core/kept_results.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"
#include "schemas/chunking.h"

namespace farm {

namespace {

/// A not_started answer is worth nothing to anybody but the broker that waits for it.
bool has_run(const Answer& answer) { return answer.outcome != Outcome::not_started; }

/// Calls `what(key, value)` for each value; it may erase.
template <class Map, class F>
void walk(Map& map, F what) {
    const auto end = map.end_key();
    for (auto key = map.first_key(); key < end; ++key) {
        if (auto* value = map.find(key)) what(key, *value);
    }
}

}  // namespace

KeptResults::Id KeptResults::add(KeptResult result) {
    total_bytes_ += result.answer.output_bytes;
    look_at_ = std::min(look_at_, result.expires);
    const bool ran = has_run(result.answer);
    const CallKey key = result.answer.key;
    const Id id = entries_.add({std::move(result), 0});
    if (ran) started_[key] = id;
    return id;
}

Answer KeptResults::deliver(Id id, std::size_t broker) {
    Entry* entry = entries_.find(id);
    FARM_EXPECT(entry != nullptr);
    ++entry->delivery_count;
    Answer answer = entry->result.answer;
    answer.sequence = unfinished_[broker].add(
        {id, false, OutgoingTransfer(entry->result.large, routed_chunking)});
    return answer;
}

std::size_t KeptResults::enforce_limits() {
    std::size_t dropped = 0;
    // The newest stays: its RESULT may not even be on its way.
    const Id newest = entries_.end_key() - 1;
    for (Id id = entries_.first_key();
         id < newest &&
         (entries_.size() > limits::kept_result_count || total_bytes_ > limits::kept_result_bytes);
         ++id) {
        if (entries_.find(id) == nullptr || is_streaming(id)) continue;
        drop(id);
        ++dropped;
    }
    return dropped;
}

std::optional<KeptResults::Id> KeptResults::find_started(const CallKey& key) const {
    const Id* const found = started_.find(key);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

void KeptResults::acknowledge(std::size_t broker, std::uint64_t sequence) {
    Deliveries& deliveries = unfinished_[broker];
    const std::uint64_t end = std::min(deliveries.end_key(), sequence + 1);
    for (std::uint64_t each = deliveries.first_key(); each < end; ++each) {
        Delivery* delivery = deliveries.find(each);
        if (delivery == nullptr) continue;
        delivery->acknowledged = true;
        if (delivery->stream.done()) finish(broker, each, true);
    }
}

const KeptResult& KeptResults::result_of(const Delivery& delivery) const {
    const Entry* entry = entries_.find(delivery.id);
    FARM_ENSURE(entry != nullptr);
    return entry->result;
}

KeptResults::Delivery* KeptResults::find_stream(std::size_t broker, const CallKey& key) {
    Delivery* found = nullptr;
    walk(unfinished_[broker], [&](std::uint64_t, Delivery& delivery) {
        if (found != nullptr || delivery.stream.done()) return;
        if (result_of(delivery).answer.key == key) found = &delivery;
    });
    return found;
}

OutgoingTransfer* KeptResults::stream(std::size_t broker, const CallKey& key) {
    Delivery* found = find_stream(broker, key);
    return found == nullptr ? nullptr : &found->stream;
}

PayloadId KeptResults::payload(std::size_t broker, const CallKey& key) const {
    const Delivery* found = const_cast<KeptResults*>(this)->find_stream(broker, key);
    return found == nullptr ? PayloadId{} : result_of(*found).answer.payload;
}

void KeptResults::stream_finished(std::size_t broker, const CallKey& key) {
    walk(unfinished_[broker], [&](std::uint64_t sequence, const Delivery& delivery) {
        const bool ended = delivery.stream.done() && delivery.acknowledged;
        if (ended && result_of(delivery).answer.key == key) finish(broker, sequence, true);
    });
}

void KeptResults::cancel(std::size_t broker, const CallId& id) {
    walk(unfinished_[broker], [&](std::uint64_t sequence, Delivery& delivery) {
        if (delivery.stream.done() || result_of(delivery).answer.key.id != id) return;
        delivery.stream = OutgoingTransfer{};
        if (delivery.acknowledged) finish(broker, sequence, true);
    });
}

void KeptResults::detach(std::size_t broker) {
    walk(unfinished_[broker], [&](std::uint64_t sequence, const Delivery& delivery) {
        if (delivery.acknowledged) finish(broker, sequence, false);
    });
}

std::vector<Answer> KeptResults::resume(std::size_t broker,
                                        const std::unordered_set<CallKey>& known) {
    std::vector<Answer> again;
    walk(unfinished_[broker], [&](std::uint64_t sequence, Delivery& delivery) {
        const KeptResult& result = result_of(delivery);
        if (!known.contains(result.answer.key)) return finish(broker, sequence, false);
        again.push_back(result.answer);
        again.back().sequence = sequence;
        delivery.acknowledged = false;
        delivery.stream = OutgoingTransfer(result.large, routed_chunking);
    });
    return again;
}

std::vector<CallKey> KeptResults::unacknowledged(std::size_t broker) const {
    std::vector<CallKey> keys;
    walk(unfinished_[broker], [&](std::uint64_t, const Delivery& delivery) {
        if (!delivery.acknowledged) keys.push_back(result_of(delivery).answer.key);
    });
    return keys;
}

/// `was_received`: the broker has it, so it goes with its last delivery; otherwise the client may
/// ask for it again through another broker.
void KeptResults::finish(std::size_t broker, std::uint64_t sequence, bool was_received) {
    const Id id = unfinished_[broker].find(sequence)->id;
    unfinished_[broker].erase(sequence);
    Entry* entry = entries_.find(id);
    FARM_ENSURE(entry != nullptr && entry->delivery_count > 0);
    --entry->delivery_count;
    if (entry->delivery_count == 0 && (was_received || !has_run(entry->result.answer))) drop(id);
}

void KeptResults::expire(TimePoint now) {
    if (now < look_at_) return;
    TimePoint next = TimePoint::max();
    walk(entries_, [&](Id id, const Entry& entry) {
        if (entry.result.expires <= now) return drop(id);
        next = std::min(next, entry.result.expires);
    });
    // Each look walks over all, so they are far apart.
    look_at_ = entries_.empty() ? next : std::max(next, now + expiry_step);
}

std::optional<TimePoint> KeptResults::next_expiry() const {
    if (entries_.empty()) return std::nullopt;
    return look_at_;
}

void KeptResults::drop(Id id) {
    Entry* entry = entries_.find(id);
    FARM_ENSURE(entry != nullptr);
    const KeptResult& result = entry->result;
    if (entry->delivery_count > 0) {
        for (Deliveries& deliveries : unfinished_) {
            walk(deliveries, [&](std::uint64_t sequence, const Delivery& delivery) {
                if (delivery.id == id) deliveries.erase(sequence);
            });
        }
    }
    if (result.answer.payload) released_.push_back(result.answer.payload);
    total_bytes_ -= result.answer.output_bytes;
    if (find_started(result.answer.key) == id) started_.erase(result.answer.key);
    entries_.erase(id);
}

void KeptResults::clear() {
    walk(entries_, [&](Id id, const Entry&) { drop(id); });
}

bool KeptResults::is_streaming(Id id) const {
    bool streams = false;
    for (const Deliveries& deliveries : unfinished_) {
        walk(deliveries, [&](std::uint64_t, const Delivery& delivery) {
            streams = streams || (delivery.id == id && !delivery.stream.done());
        });
    }
    return streams;
}

std::uint64_t KeptResults::streaming_bytes() const {
    std::uint64_t sum = 0;
    for (const Deliveries& deliveries : unfinished_) {
        walk(deliveries, [&](std::uint64_t, const Delivery& delivery) {
            if (!delivery.stream.done()) sum += delivery.stream.total_bytes();
        });
    }
    return sum;
}

}  // namespace farm
