#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "cpu_client/pipeline/event_loop.h"
#include "schemas/call_status.h"
#include "schemas/messages.h"

namespace farm {

/// What became of one event.
struct DemoOutcome {
    CallStatus status{CallStatus::internal};
    std::string worker;  ///< who answered; empty when nobody did
    std::uint8_t attempts{0};
    Duration latency{0};  ///< of the remote call
    Timings timings;
};

/// Figures of the whole stream.
struct DemoFigures {
    std::uint64_t event_count{0};
    std::uint64_t lost_count{0};  ///< read, and not ended OK
    std::array<std::uint64_t, call_status_count> by_status{};
    std::map<std::string, std::uint64_t> by_worker;
    std::uint64_t resent_count{0};  ///< events that took more than one attempt
    double events_per_s{0};
    double p50_ms{0};
    double p99_ms{0};
    // Means over the events that ended OK; they add up to the mean latency.
    double waiting_ms{0};  ///< in the broker's queue, on the wire, in the client
    double worker_queue_ms{0};
    double compute_ms{0};
    double copy_ms{0};  ///< input and output of the run
};

/// Keeps the books of the stream. Thread-safe.
class DemoRecord {
  public:
    void called(std::uint64_t event, TimePoint now);
    void ended(std::uint64_t event, const DemoOutcome& outcome, TimePoint now);

    /// The events open now are those that a kill may hit.
    std::uint64_t mark_kill();
    std::uint64_t open_since_kill_count() const;
    std::uint64_t done_count() const;
    /// When this worker took the first event that it has answered: the answer's time less what the
    /// worker measured. Nothing before that answer is there.
    std::optional<TimePoint> first_event_of(const std::string& worker) const;
    DemoFigures figures() const;

  private:
    struct Sums {
        double latency_ms{0}, queue_ms{0}, compute_ms{0}, copy_ms{0};
    };

    mutable std::mutex mutex_;
    std::set<std::uint64_t> open_;
    std::set<std::uint64_t> open_since_kill_;
    std::map<std::string, TimePoint> first_events_;
    std::map<std::string, std::uint64_t> by_worker_;
    std::array<std::uint64_t, call_status_count> by_status_{};
    std::vector<double> latencies_ms_;
    Sums sums_;
    std::uint64_t done_count_{0};
    std::uint64_t resent_count_{0};
    std::optional<TimePoint> first_call_;
    TimePoint last_end_{};
};

}  // namespace farm
