#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/ids.h"
#include "schemas/service.h"

namespace farm {

/// What one service allows in a run.
struct BatchLimits {
    BatchRule rule{BatchRule::none};
    std::uint32_t max_rows{0};                  ///< 0: no limit known
    std::uint64_t max_bytes{0};                 ///< inputs of one run; 0: no limit
    std::vector<std::uint32_t> preferred_rows;  ///< ascending; empty: whatever waits
    Duration max_queue_delay{0};                ///< how long a call may wait for company
};

/// A call that waits for a device.
struct WaitingCall {
    CallKey key;
    std::uint32_t rows{1};
    std::uint64_t bytes{0};
    std::uint64_t shape_class{0};  ///< only equal classes share a run
    std::uint8_t priority{100};    ///< smaller is served first
    bool suspect{false};           ///< runs alone (rule 7)
    TimePoint deadline;
    TimePoint arrived;
};

/// The calls of one service that wait for a device, and which of them make the next run.
///
/// It decides order (priority, then deadline, then arrival) and company: whatever waits when an
/// instance becomes free is taken at once (batching while busy), unless the model asks for
/// preferred sizes and allows a delay. Deadlines and cancels are its owner's: it only forgets what
/// remove() names. A value, used by one thread; as large as the windows that its owner grants.
class Batcher {
  public:
    explicit Batcher(BatchLimits limits) : limits_(std::move(limits)) {}

    /// Replaces what a newly loaded model allows; what waits keeps waiting.
    void set_limits(BatchLimits limits) { limits_ = std::move(limits); }
    void add(const WaitingCall& call);
    /// False when it does not wait here.
    bool remove(const CallKey& key);

    /// The calls of the next run, in the order of its rows, removed from the queue. Empty when
    /// nothing waits, or when what waits may still find company until ready_at(). Calls share a run
    /// up to `most_rows` rows, if that is less than the limit; a larger one has a run of its own.
    std::vector<CallKey> take(TimePoint now, std::uint32_t most_rows = UINT32_MAX);

    /// What the first call in the queue could share a run with.
    struct Company {
        std::uint64_t shape_class{0};
        std::uint32_t waiting_rows{1};  ///< of this class, its own included
    };
    /// Nothing when no call waits.
    std::optional<Company> first_company() const;

    /// When take() gives something at the latest; nothing when no call waits.
    std::optional<TimePoint> ready_at() const;

    std::size_t size() const { return order_.size(); }
    std::vector<CallKey> keys() const;

  private:
    struct Later {
        bool operator()(const WaitingCall& a, const WaitingCall& b) const;
    };
    using Order = std::set<WaitingCall, Later>;
    struct Forming {
        std::vector<CallKey> keys;
        std::uint32_t rows{0};
        std::uint64_t bytes{0};
        std::size_t preferred_count{
            0};              ///< of the keys, those that make the largest preferred size
        bool closed{false};  ///< the next of its class does not fit, or it runs alone
        TimePoint oldest;
    };

    std::vector<Forming> form(std::uint32_t most_rows) const;
    void join(Forming& run, const WaitingCall& call, std::uint32_t most_rows) const;
    bool is_ready(const Forming& run, TimePoint now) const;

    BatchLimits limits_;
    FlatMap<std::uint64_t, std::uint64_t> waiting_rows_;  ///< by class
    Order order_;
    Order::node_type spare_;  ///< of the call that left last: mostly one waits at a time
    FlatMap<CallKey, Order::iterator> places_;
};

}  // namespace farm
