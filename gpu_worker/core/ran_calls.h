#pragma once

#include <deque>
#include <unordered_set>

#include "common/core/ids.h"
#include "schemas/limits.h"

namespace farm {

/// Calls of services that must not run twice and that have been given to a device here: the last
/// limits::remembered_call_count of them. A value.
class RanCalls {
  public:
    bool contains(const CallId& id) const { return known_.contains(id); }

    void add(const CallId& id) {
        if (!known_.insert(id).second) return;
        order_.push_back(id);
        if (order_.size() <= limits::remembered_call_count) return;
        known_.erase(order_.front());
        order_.pop_front();
    }

  private:
    std::unordered_set<CallId> known_;
    std::deque<CallId> order_;
};

}  // namespace farm
