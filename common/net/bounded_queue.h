#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "common/net/waker.h"

namespace farm {

/// The one way for other threads to reach a loop: push from any thread, drain on the loop's.
/// Bound: `limit` elements; what does not fit stays with the caller. Order is that of the pushes.
template <class T>
class BoundedQueue {
  public:
    /// `waker` is watched by the loop's Poller and outlives the queue.
    BoundedQueue(std::size_t limit, Waker& waker) : limit_(limit), waker_(waker) {}

    /// False when full; `item` is then untouched.
    bool push(T&& item) {
        {
            std::lock_guard lock(mutex_);
            if (items_.size() >= limit_) return false;
            items_.push_back(std::move(item));
        }
        waker_.wake();
        return true;
    }

    /// Replaces `out` with everything that is queued; its capacity is used again.
    void drain(std::vector<T>& out) {
        out.clear();
        std::lock_guard lock(mutex_);
        items_.swap(out);
    }

    std::size_t count() const {
        std::lock_guard lock(mutex_);
        return items_.size();
    }

  private:
    const std::size_t limit_;
    Waker& waker_;
    mutable std::mutex mutex_;
    std::vector<T> items_;
};

}  // namespace farm
