#include "gpu_worker/core/kept_results.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm {

namespace {

/// A not_started answer is worth nothing to anybody but the broker that waits for it.
bool has_run(const Answer& answer) { return answer.outcome != Outcome::not_started; }

}  // namespace

KeptResults::Id KeptResults::add(KeptResult result) {
    const Id id = next_id_++;
    total_bytes_ += result.answer.output_bytes;
    expiries_.emplace(result.expires, id);
    if (has_run(result.answer)) started_[result.answer.key] = id;
    entries_.emplace(id, Entry{std::move(result), 0});
    return id;
}

Answer KeptResults::deliver(Id id, std::size_t broker) {
    Entry& entry = entries_.at(id);
    ++entry.delivery_count;
    const std::uint64_t sequence = next_sequence_[broker]++;
    Delivery& delivery = unfinished_[broker][sequence];
    delivery.id = id;
    delivery.stream = OutgoingTransfer(entry.result.large, limits::chunk_bytes);
    Answer answer = entry.result.answer;
    answer.sequence = sequence;
    return answer;
}

std::size_t KeptResults::enforce_limits() {
    std::size_t dropped = 0;
    auto entry = entries_.begin();
    while (entry != entries_.end() && (entries_.size() > limits::kept_result_count ||
                                       total_bytes_ > limits::kept_result_bytes)) {
        const Id id = entry->first;
        ++entry;
        // The newest stays: its RESULT may not even be on its way.
        if (is_streaming(id) || entry == entries_.end()) continue;
        drop(id);
        ++dropped;
    }
    return dropped;
}

std::optional<KeptResults::Id> KeptResults::find_started(const CallKey& key) const {
    const auto found = started_.find(key);
    if (found == started_.end()) return std::nullopt;
    return found->second;
}

void KeptResults::acknowledge(std::size_t broker, std::uint64_t sequence) {
    Deliveries& deliveries = unfinished_[broker];
    for (auto it = deliveries.begin(); it != deliveries.end() && it->first <= sequence;) {
        it->second.acknowledged = true;
        it = it->second.stream.done() ? finish(broker, it, true) : std::next(it);
    }
}

KeptResults::Deliveries::iterator KeptResults::find_stream(std::size_t broker, const CallKey& key) {
    Deliveries& deliveries = unfinished_[broker];
    return std::ranges::find_if(deliveries, [&](const auto& item) {
        return !item.second.stream.done() && entries_.at(item.second.id).result.answer.key == key;
    });
}

OutgoingTransfer* KeptResults::stream(std::size_t broker, const CallKey& key) {
    const auto found = find_stream(broker, key);
    return found == unfinished_[broker].end() ? nullptr : &found->second.stream;
}

PayloadId KeptResults::payload(std::size_t broker, const CallKey& key) const {
    const auto found = const_cast<KeptResults*>(this)->find_stream(broker, key);
    if (found == unfinished_[broker].end()) return {};
    return entries_.at(found->second.id).result.answer.payload;
}

void KeptResults::stream_finished(std::size_t broker, const CallKey& key) {
    Deliveries& deliveries = unfinished_[broker];
    for (auto it = deliveries.begin(); it != deliveries.end();) {
        const bool ended = it->second.stream.done() && it->second.acknowledged &&
                           entries_.at(it->second.id).result.answer.key == key;
        it = ended ? finish(broker, it, true) : std::next(it);
    }
}

void KeptResults::cancel(std::size_t broker, const CallId& id) {
    Deliveries& deliveries = unfinished_[broker];
    for (auto it = deliveries.begin(); it != deliveries.end();) {
        const bool streams =
            !it->second.stream.done() && entries_.at(it->second.id).result.answer.key.id == id;
        if (streams) it->second.stream = OutgoingTransfer{};
        it = streams && it->second.acknowledged ? finish(broker, it, true) : std::next(it);
    }
}

void KeptResults::detach(std::size_t broker) {
    Deliveries& deliveries = unfinished_[broker];
    for (auto it = deliveries.begin(); it != deliveries.end();) {
        it = it->second.acknowledged ? finish(broker, it, false) : std::next(it);
    }
}

std::vector<Answer> KeptResults::resume(std::size_t broker,
                                        const std::unordered_set<CallKey>& known) {
    std::vector<Answer> again;
    Deliveries& deliveries = unfinished_[broker];
    for (auto it = deliveries.begin(); it != deliveries.end();) {
        const KeptResult& result = entries_.at(it->second.id).result;
        if (!known.contains(result.answer.key)) {
            it = finish(broker, it, false);
            continue;
        }
        again.push_back(result.answer);
        again.back().sequence = it->first;
        it->second.acknowledged = false;
        it->second.stream = OutgoingTransfer(result.large, limits::chunk_bytes);
        ++it;
    }
    return again;
}

std::vector<CallKey> KeptResults::unacknowledged(std::size_t broker) const {
    std::vector<CallKey> keys;
    for (const auto& [sequence, delivery] : unfinished_[broker]) {
        if (!delivery.acknowledged) keys.push_back(entries_.at(delivery.id).result.answer.key);
    }
    return keys;
}

/// `was_received`: the broker has it, so it goes with its last delivery; otherwise the client may
/// ask for it again through another broker.
KeptResults::Deliveries::iterator KeptResults::finish(std::size_t broker,
                                                      Deliveries::iterator delivery,
                                                      bool was_received) {
    const Id id = delivery->second.id;
    const auto next = unfinished_[broker].erase(delivery);
    Entry& entry = entries_.at(id);
    FARM_ENSURE(entry.delivery_count > 0);
    --entry.delivery_count;
    if (entry.delivery_count == 0 && (was_received || !has_run(entry.result.answer))) drop(id);
    return next;
}

void KeptResults::expire(TimePoint now) {
    while (!expiries_.empty() && expiries_.begin()->first <= now) drop(expiries_.begin()->second);
}

std::optional<TimePoint> KeptResults::next_expiry() const {
    if (expiries_.empty()) return std::nullopt;
    return expiries_.begin()->first;
}

void KeptResults::drop(Id id) {
    const auto found = entries_.find(id);
    FARM_ENSURE(found != entries_.end());
    const KeptResult& result = found->second.result;
    if (found->second.delivery_count > 0) {
        for (Deliveries& deliveries : unfinished_) {
            std::erase_if(deliveries, [&](const auto& item) { return item.second.id == id; });
        }
    }
    if (result.answer.payload) released_.push_back(result.answer.payload);
    total_bytes_ -= result.answer.output_bytes;
    const auto [first, last] = expiries_.equal_range(result.expires);
    expiries_.erase(std::find_if(first, last, [&](const auto& item) { return item.second == id; }));
    if (const auto started = started_.find(result.answer.key);
        started != started_.end() && started->second == id) {
        started_.erase(started);
    }
    entries_.erase(found);
}

void KeptResults::clear() {
    while (!entries_.empty()) drop(entries_.begin()->first);
}

bool KeptResults::is_streaming(Id id) const {
    return std::ranges::any_of(unfinished_, [&](const Deliveries& deliveries) {
        return std::ranges::any_of(deliveries, [&](const auto& item) {
            return item.second.id == id && !item.second.stream.done();
        });
    });
}

std::uint64_t KeptResults::streaming_bytes() const {
    std::uint64_t sum = 0;
    for (const Deliveries& deliveries : unfinished_) {
        for (const auto& [sequence, delivery] : deliveries) {
            if (!delivery.stream.done()) sum += delivery.stream.total_bytes();
        }
    }
    return sum;
}

}  // namespace farm
