#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "common/core/pool.h"

namespace farm {

/// Values under numbers that it gives out itself, 1, 2, 3, ..., for what is mostly erased in the
/// order in which it came: all operations take constant time.
///
/// A hole between older and younger values costs a pointer until the older ones have gone; the
/// storage of what was erased is used again. References stay valid until their value is erased;
/// erasing while one walks from first_key() to end_key() is allowed. Values are default
/// constructible. Owned and used by one thread.
template <class T>
class AscendingMap {
  public:
    using Key = std::uint64_t;

    Key add(T value) {
        T* const added = storage_.take();
        *added = std::move(value);
        values_.push_back(added);
        return end_key() - 1;
    }

    /// Null when there is none (any more).
    T* find(Key key) { return has_slot(key) ? values_[index(key)] : nullptr; }
    const T* find(Key key) const { return has_slot(key) ? values_[index(key)] : nullptr; }

    /// Nothing happens when there is none.
    void erase(Key key) {
        T* const erased = find(key);
        if (erased == nullptr) return;
        *erased = T{};
        storage_.give_back(erased);
        values_[index(key)] = nullptr;
        while (!values_.empty() && values_.front() == nullptr) {
            values_.pop_front();
            ++first_key_;
        }
    }

    /// All values have keys in [first_key(), end_key()); the next one added gets end_key().
    Key first_key() const { return first_key_; }
    Key end_key() const { return first_key_ + values_.size(); }
    std::size_t size() const { return storage_.taken_count(); }
    bool empty() const { return size() == 0; }

  private:
    bool has_slot(Key key) const { return key >= first_key_ && key < end_key(); }
    std::size_t index(Key key) const { return static_cast<std::size_t>(key - first_key_); }

    Pool<T> storage_;
    std::deque<T*> values_;
    Key first_key_{1};
};

}  // namespace farm
