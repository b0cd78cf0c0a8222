#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "common/core/clock.h"
#include "common/core/flat_map.h"

namespace farm {

/// One deadline per key, in a binary heap with positions: set, move and cancel in O(log n).
///
/// Decides nothing: it only says which key is due. Owned and used by one thread. Ties are served in
/// no particular order, but the same sequence of calls gives the same order every time; where they
/// matter, `When` is a time and what decides between equal ones. Allocates only when it holds more
/// deadlines than ever before.
template <class Key, class When = TimePoint>
class TimerHeap {
  public:
    /// Sets or moves the deadline of `key`.
    void set(const Key& key, When when) {
        const auto [position, is_fresh] = positions_.try_emplace(key, heap_.size());
        if (is_fresh) heap_.push_back({when, key});
        place(*position, Entry{when, key});
    }

    void cancel(const Key& key) {
        if (const std::size_t* position = positions_.find(key)) remove_at(*position);
    }

    /// The earliest key whose deadline is not after `now`, taken out.
    std::optional<Key> pop_due(When now) {
        if (heap_.empty() || now < heap_.front().when) return std::nullopt;
        Key key = heap_.front().key;
        remove_at(0);
        return key;
    }

    std::optional<When> next() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().when;
    }
    /// The key whose deadline is next(). Requires that there is one.
    const Key& next_key() const { return heap_.front().key; }

    std::size_t size() const { return heap_.size(); }
    bool empty() const { return heap_.empty(); }

  private:
    struct Entry {
        When when;
        Key key;
    };

    void remove_at(std::size_t at) {
        positions_.erase(heap_[at].key);
        Entry last = std::move(heap_.back());
        heap_.pop_back();
        if (at != heap_.size()) place(at, std::move(last));
    }

    /// Puts an entry where the one at `at` was, or as far up or down as it belongs.
    void place(std::size_t at, Entry entry) {
        at = hole_towards_root(at, entry.when);
        at = hole_towards_leaves(at, entry.when);
        write(at, std::move(entry));
    }

    std::size_t hole_towards_root(std::size_t hole, const When& when) {
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / 2;
            if (!(when < heap_[parent].when)) break;
            write(hole, std::move(heap_[parent]));
            hole = parent;
        }
        return hole;
    }

    std::size_t hole_towards_leaves(std::size_t hole, const When& when) {
        for (;;) {
            std::size_t child = 2 * hole + 1;
            if (child >= heap_.size()) return hole;
            if (child + 1 < heap_.size() && heap_[child + 1].when < heap_[child].when) ++child;
            if (!(heap_[child].when < when)) return hole;
            write(hole, std::move(heap_[child]));
            hole = child;
        }
    }

    void write(std::size_t at, Entry entry) {
        positions_[entry.key] = at;
        heap_[at] = std::move(entry);
    }

    std::vector<Entry> heap_;
    FlatMap<Key, std::size_t> positions_;
};

}  // namespace farm
