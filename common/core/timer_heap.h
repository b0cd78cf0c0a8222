#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/core/clock.h"

namespace farm {

/// One deadline per key, in a binary heap with positions: set, move and cancel in O(log n).
///
/// Decides nothing: it only says which key is due. Owned and used by one thread. Ties are served in
/// no particular order, but the same sequence of calls gives the same order every time.
template <class Key>
class TimerHeap {
  public:
    /// Sets or moves the deadline of `key`.
    void set(const Key& key, TimePoint when) {
        const auto [found, fresh] = positions_.try_emplace(key, heap_.size());
        if (fresh) {
            heap_.push_back({when, key});
            sift_up(heap_.size() - 1);
            return;
        }
        const std::size_t at = found->second;
        const bool earlier = when < heap_[at].when;
        heap_[at].when = when;
        if (earlier) {
            sift_up(at);
        } else {
            sift_down(at);
        }
    }

    void cancel(const Key& key) {
        const auto found = positions_.find(key);
        if (found == positions_.end()) return;
        remove_at(found->second);
    }

    /// The earliest key whose deadline is not after `now`, taken out.
    std::optional<Key> pop_due(TimePoint now) {
        if (heap_.empty() || heap_.front().when > now) return std::nullopt;
        Key key = heap_.front().key;
        remove_at(0);
        return key;
    }

    std::optional<TimePoint> next() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().when;
    }

    std::size_t size() const { return heap_.size(); }

  private:
    struct Entry {
        TimePoint when;
        Key key;
    };

    void remove_at(std::size_t at) {
        positions_.erase(heap_[at].key);
        if (at + 1 != heap_.size()) {
            heap_[at] = std::move(heap_.back());
            positions_[heap_[at].key] = at;
            heap_.pop_back();
            sift_down(at);
            sift_up(at);
        } else {
            heap_.pop_back();
        }
    }

    void swap_entries(std::size_t a, std::size_t b) {
        std::swap(heap_[a], heap_[b]);
        positions_[heap_[a].key] = a;
        positions_[heap_[b].key] = b;
    }

    void sift_up(std::size_t at) {
        while (at > 0) {
            const std::size_t parent = (at - 1) / 2;
            if (!(heap_[at].when < heap_[parent].when)) return;
            swap_entries(at, parent);
            at = parent;
        }
    }

    void sift_down(std::size_t at) {
        for (;;) {
            std::size_t least = at;
            for (std::size_t child = 2 * at + 1; child <= 2 * at + 2; ++child) {
                if (child < heap_.size() && heap_[child].when < heap_[least].when) least = child;
            }
            if (least == at) return;
            swap_entries(at, least);
            at = least;
        }
    }

    std::vector<Entry> heap_;
    std::unordered_map<Key, std::size_t> positions_;
};

}  // namespace farm
