#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "common/core/ascending_map.h"
#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "common/core/transfer.h"
#include "schemas/messages.h"

namespace farm {

/// A RESULT as it was made, before it has a sequence number.
struct KeptResult {
    Answer answer;                   ///< owns its payload
    std::vector<LargeTensor> large;  ///< of a chunked answer
    TimePoint expires;               ///< nobody can want it after this
};

/// Results that some broker may still need: not acknowledged, not streamed to the end, or left
/// behind by a broker that went away while the client may ask again elsewhere (then only results of
/// attempts that ran).
///
/// It numbers the RESULTs of each broker, remembers what to send again after a break, and drops the
/// oldest beyond limits::kept_result_count and kept_result_bytes; a result that is being streamed
/// is not dropped, streaming_bytes() tells its owner what that costs. Payloads that nobody needs
/// any more are collected for take_released(). Brokers are numbered as in the worker's broker list.
/// A value, used by one thread.
class KeptResults {
  public:
    using Id = std::uint64_t;  ///< ascends with age

    explicit KeptResults(std::size_t broker_count) : unfinished_(broker_count) {}

    Id add(KeptResult result);
    /// The RESULT to send to this broker; it is kept for it until acknowledged and streamed.
    Answer deliver(Id id, std::size_t broker);
    /// Drops what is beyond the limits, oldest first, and returns how many that were.
    std::size_t enforce_limits();

    /// Of an attempt that ran and whose result is still here.
    std::optional<Id> find_started(const CallKey& key) const;

    void acknowledge(std::size_t broker, std::uint64_t sequence);
    /// The stream of this call to this broker; null when there is none (any more).
    OutgoingTransfer* stream(std::size_t broker, const CallKey& key);
    PayloadId payload(std::size_t broker, const CallKey& key) const;
    /// To be called when stream()->done().
    void stream_finished(std::size_t broker, const CallKey& key);
    /// The client wants no more of it: ends the stream if there is one.
    void cancel(std::size_t broker, const CallId& id);

    /// The link broke: streams whose RESULT was acknowledged cannot go on.
    void detach(std::size_t broker);
    /// The broker is back. What it does not know is done with; the rest is returned to be sent
    /// again, in order, with its old sequence, its stream from the start.
    std::vector<Answer> resume(std::size_t broker, const std::unordered_set<CallKey>& known);
    /// The broker will not come back as the one it was.
    void forget(std::size_t broker) { resume(broker, {}); }

    std::vector<CallKey> unacknowledged(std::size_t broker) const;
    bool has_unfinished(std::size_t broker) const { return !unfinished_[broker].empty(); }

    /// Drops what nobody can want any more, at most `expiry_step` late.
    void expire(TimePoint now);
    std::optional<TimePoint> next_expiry() const;
    static constexpr Duration expiry_step = std::chrono::seconds(1);

    std::vector<PayloadId> take_released() { return std::exchange(released_, {}); }
    /// Everything, when the worker stops.
    void clear();

    std::size_t size() const { return entries_.size(); }
    std::uint64_t size_bytes() const { return total_bytes_; }
    std::uint64_t streaming_bytes() const;

  private:
    struct Entry {
        KeptResult result;
        std::size_t delivery_count{0};  ///< unfinished ones
    };
    struct Delivery {
        Id id{0};
        bool acknowledged{false};
        OutgoingTransfer stream;  ///< done() from the start for a small result
    };
    using Deliveries = AscendingMap<Delivery>;  // by sequence

    Delivery* find_stream(std::size_t broker, const CallKey& key);
    const KeptResult& result_of(const Delivery& delivery) const;
    void finish(std::size_t broker, std::uint64_t sequence, bool was_received);
    void drop(Id id);
    bool is_streaming(Id id) const;

    AscendingMap<Entry> entries_;  ///< by Id
    FlatMap<CallKey, Id> started_;
    std::vector<Deliveries> unfinished_;
    std::vector<PayloadId> released_;
    std::uint64_t total_bytes_{0};
    TimePoint look_at_{TimePoint::max()};  ///< nothing expires before
};

}  // namespace farm
