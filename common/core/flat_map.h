#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <utility>
#include <variant>
#include <vector>

#include "common/core/expect.h"

namespace farm {

/// A hash map in one block of memory, for tables that entries pass through: it allocates only when
/// it holds more than ever before, and a look-up reads one place, mostly.
///
/// Open addressing with linear probing; erasing moves later entries up instead of leaving marks
/// (Knuth, The Art of Computer Programming, 6.4, algorithm R). Never shrinks. Keys and values are
/// default constructible and movable; pointers and iterators hold until the next insertion or
/// erasure. The order of a walk is the same for the same history. Owned and used by one thread.
template <class Key, class Value>
class FlatMap {
    struct Slot {
        std::pair<Key, Value> entry;
        bool used{false};
    };

    template <class Slots, class Entry>
    class Walk {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = std::pair<Key, Value>;
        using difference_type = std::ptrdiff_t;
        using pointer = Entry*;
        using reference = Entry&;

        Walk() = default;
        Walk(Slots* slots, std::size_t at) : slots_(slots), at_(at) { skip_unused(); }
        reference operator*() const { return (*slots_)[at_].entry; }
        pointer operator->() const { return &(*slots_)[at_].entry; }
        Walk& operator++() {
            ++at_;
            skip_unused();
            return *this;
        }
        Walk operator++(int) {
            Walk before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Walk& a, const Walk& b) { return a.at_ == b.at_; }

      private:
        void skip_unused() {
            while (at_ < slots_->size() && !(*slots_)[at_].used) ++at_;
        }
        Slots* slots_{nullptr};
        std::size_t at_{0};
    };

  public:
    using iterator = Walk<std::vector<Slot>, std::pair<Key, Value>>;
    using const_iterator = Walk<const std::vector<Slot>, const std::pair<Key, Value>>;

    /// Null when there is none.
    Value* find(const Key& key) {
        if (size_ == 0) return nullptr;
        Slot& slot = slots_[place_of(key)];
        return slot.used ? &slot.entry.second : nullptr;
    }
    const Value* find(const Key& key) const { return const_cast<FlatMap*>(this)->find(key); }
    bool contains(const Key& key) const { return find(key) != nullptr; }
    /// Requires that there is one.
    Value& at(const Key& key) {
        Value* const found = find(key);
        FARM_EXPECT(found != nullptr);
        return *found;
    }
    const Value& at(const Key& key) const { return const_cast<FlatMap*>(this)->at(key); }

    /// The value of this key, a fresh one if there was none.
    Value& operator[](const Key& key) { return *try_emplace(key).first; }
    /// The value of this key, and whether it is fresh.
    std::pair<Value*, bool> try_emplace(const Key& key, Value value = {}) {
        if (Value* const found = find(key)) return {found, false};
        if (4 * (size_ + 1) > 3 * slots_.size()) grow();
        Slot& slot = slots_[place_of(key)];
        slot.entry.first = key;
        slot.entry.second = std::move(value);
        slot.used = true;
        ++size_;
        return {&slot.entry.second, true};
    }
    /// Of a set: whether it was not there yet.
    bool insert(const Key& key) { return try_emplace(key).second; }

    /// Whether it was there.
    bool erase(const Key& key) {
        if (size_ == 0) return false;
        std::size_t hole = place_of(key);
        if (!slots_[hole].used) return false;
        for (std::size_t at = next(hole); slots_[at].used; at = next(at)) {
            const std::size_t home = home_of(slots_[at].entry.first);
            const bool may_move = distance(home, at) >= distance(hole, at);
            if (!may_move) continue;
            slots_[hole].entry = std::move(slots_[at].entry);
            hole = at;
        }
        slots_[hole] = Slot{};
        --size_;
        return true;
    }
    void clear() {
        for (Slot& slot : slots_) slot = Slot{};
        size_ = 0;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    /// For a walk that inserts or erases.
    std::vector<Key> keys() const {
        std::vector<Key> keys;
        keys.reserve(size_);
        for (const auto& [key, value] : *this) keys.push_back(key);
        return keys;
    }
    iterator begin() { return {&slots_, 0}; }
    iterator end() { return {&slots_, slots_.size()}; }
    const_iterator begin() const { return {&slots_, 0}; }
    const_iterator end() const { return {&slots_, slots_.size()}; }

  private:
    /// Numbers hash to themselves: multiplying spreads them over the high bits (Fibonacci hashing).
    std::size_t home_of(const Key& key) const {
        return static_cast<std::size_t>(
            (std::uint64_t{std::hash<Key>{}(key)} * 0x9e3779b97f4a7c15ULL) >> shift_);
    }
    std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
    std::size_t distance(std::size_t from, std::size_t to) const {
        return (to - from) & (slots_.size() - 1);
    }
    /// Where the key is, or would be put.
    std::size_t place_of(const Key& key) const {
        std::size_t at = home_of(key);
        while (slots_[at].used && !(slots_[at].entry.first == key)) at = next(at);
        return at;
    }
    void grow() {
        std::vector<Slot> before(slots_.empty() ? 8 : 2 * slots_.size());
        before.swap(slots_);
        shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots_.size()));
        for (Slot& slot : before) {
            if (slot.used) slots_[place_of(slot.entry.first)] = std::move(slot);
        }
    }

    std::vector<Slot> slots_;  ///< a power of two of them, or none
    std::size_t size_{0};
    unsigned shift_{0};
};

/// Keys only: insert(), contains(), erase().
template <class Key>
using FlatSet = FlatMap<Key, std::monostate>;

}  // namespace farm
