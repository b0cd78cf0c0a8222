#pragma once

#include <deque>
#include <vector>

namespace farm {

/// Objects that come and go, in storage that is used again: it allocates only when more are taken
/// than ever before. An object stays where it is until it is given back.
///
/// What is taken is as it was given back; fresh ones are default constructed. Owned and used by one
/// thread, and outlives what was taken from it.
template <class T>
class Pool {
  public:
    Pool() = default;
    Pool(Pool&&) = default;
    Pool& operator=(Pool&&) = default;

    T* take() {
        if (free_.empty()) return &all_.emplace_back();
        T* const taken = free_.back();
        free_.pop_back();
        return taken;
    }
    void give_back(T* object) { free_.push_back(object); }

    std::size_t taken_count() const { return all_.size() - free_.size(); }

  private:
    std::deque<T> all_;
    std::vector<T*> free_;
};

}  // namespace farm
