#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "common/core/flat_map.h"
#include "common/core/timer_heap.h"
#include "cpu_client/core/open_call.h"

namespace farm {

/// All calls of a client between Submit and Complete, with the orders in which they are wanted.
///
/// It keeps state and orders in step and decides nothing. Pointers to calls stay valid until
/// erase(); storage is used again. The owner (ClientMachine) bounds count and bytes. One thread.
class CallTable {
  public:
    using Rank = std::tuple<std::uint8_t, std::uint64_t>;  // priority, sequence

    OpenCall* find(const CallId& id);
    /// The id must not be in the table.
    OpenCall& add(Submit&& what, TimePoint submitted);
    void erase(OpenCall& call);

    void make_ready(OpenCall& call);
    void make_sent(OpenCall& call);
    void make_direct(OpenCall& call);
    void make_pausing(OpenCall& call, TimePoint retry_at);

    std::size_t count() const { return by_id_.size(); }
    std::size_t sent_count() const { return sent_count_; }
    std::uint64_t input_bytes() const { return input_bytes_; }

    /// In the order in which they are to be sent: smallest priority, then oldest. Chunked calls
    /// have a line of their own because they may have to wait, for the bulk socket or a lease.
    OpenCall* first_ready_small() const;  ///< null when there is none
    const std::map<Rank, OpenCall*>& ready_chunked() const { return ready_chunked_; }
    /// Nearest in time; null when there is none.
    OpenCall* first_deadline() const;
    OpenCall* first_pausing() const;
    /// The oldest that is not with a worker already; null when there is none.
    const OpenCall* first_unplaced() const;
    /// In the order of submission.
    std::list<OpenCall>& by_age() { return by_age_; }
    const std::list<OpenCall>& by_age() const { return by_age_; }
    std::vector<OpenCall*> sent();

  private:
    using Due = std::pair<TimePoint, std::uint64_t>;  // time, sequence

    void enter_ready(OpenCall& call);
    void leave_state(OpenCall& call);

    std::list<OpenCall> by_age_;
    std::list<OpenCall> spare_;  ///< storage of calls that have ended
    FlatMap<CallId, std::list<OpenCall>::iterator> by_id_;
    TimerHeap<OpenCall*, Rank> ready_small_;
    std::map<Rank, OpenCall*> ready_chunked_;
    TimerHeap<OpenCall*, Due> deadlines_;
    TimerHeap<OpenCall*, Due> pausing_;
    std::size_t sent_count_{0};
    std::uint64_t input_bytes_{0};
    std::uint64_t next_sequence_{1};
};

}  // namespace farm
