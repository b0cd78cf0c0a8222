#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace farm {

/// Values under numbers that it gives out itself, 1, 2, 3, ..., for what is mostly erased in the
/// order in which it came: all operations take constant time.
///
/// A hole between older and younger values costs a pointer until the older ones have gone.
/// References stay valid until their value is erased; erasing while one walks from first_key() to
/// end_key() is allowed. Owned and used by one thread.
template <class T>
class AscendingMap {
  public:
    using Key = std::uint64_t;

    Key add(T value) {
        values_.push_back(std::make_unique<T>(std::move(value)));
        ++size_;
        return end_key() - 1;
    }

    /// Null when there is none (any more).
    T* find(Key key) { return has_slot(key) ? values_[index(key)].get() : nullptr; }
    const T* find(Key key) const { return has_slot(key) ? values_[index(key)].get() : nullptr; }

    /// Nothing happens when there is none.
    void erase(Key key) {
        if (!has_slot(key) || !values_[index(key)]) return;
        values_[index(key)].reset();
        --size_;
        while (!values_.empty() && !values_.front()) {
            values_.pop_front();
            ++first_key_;
        }
    }

    /// All values have keys in [first_key(), end_key()); the next one added gets end_key().
    Key first_key() const { return first_key_; }
    Key end_key() const { return first_key_ + values_.size(); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

  private:
    bool has_slot(Key key) const { return key >= first_key_ && key < end_key(); }
    std::size_t index(Key key) const { return static_cast<std::size_t>(key - first_key_); }

    std::deque<std::unique_ptr<T>> values_;
    Key first_key_{1};
    std::size_t size_{0};
};

}  // namespace farm
