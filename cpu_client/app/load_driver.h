#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "cpu_client/pipeline/event_loop.h"
#include "schemas/messages.h"

namespace farm {

/// What became of one call of a bench.
struct CallSample {
    CallStatus status{CallStatus::internal};
    std::string detail;
    Duration latency{0};  ///< from sending; with a rate: from when it should have been sent
    Timings timings;
};
using SampleDone = std::function<void(CallSample)>;
/// Starts a call; tells its end once, from any thread, also at once. May be called from inside a
/// SampleDone that said OK.
using StartCall = std::function<void(SampleDone)>;

struct LoadLevel {
    enum class Kind : std::uint8_t {
        concurrency,  ///< `value` calls are open at any time
        rate,         ///< `value` calls a second are sent, whether or not the ones before are back
    };
    Kind kind{Kind::concurrency};
    double value{1};
};

struct LoadOptions {
    std::chrono::milliseconds window{1000};
    std::uint32_t window_limit_count{20};
    std::uint32_t open_limit_count{4096};  ///< calls open at once with a rate; later ones wait
};

/// The last three windows of a level, together.
struct LevelResult {
    LoadLevel level;
    bool stable{false};  ///< the three agreed; else the windows ran out
    double seconds{0};
    std::uint64_t ok_count{0};
    std::uint64_t failed_count{0};
    std::array<std::uint64_t, call_status_count> by_status{};  ///< of the whole level
    CallStatus first_failure{CallStatus::ok};                  ///< of the first call that failed
    std::string failure_detail;
    double calls_per_s{0};  ///< that ended OK
    double mean_ms{0}, p50_ms{0}, p90_ms{0}, p95_ms{0}, p99_ms{0};
    double queue_ms{0};  ///< means, of the worker
    double compute_ms{0};
    double other_ms{0};       ///< the rest of the mean latency: broker, wire, client, copies
    double calls_per_run{0};  ///< how the worker batched
};

/// Loads the farm at one level until three windows in a row agree (StableWindows), then waits for
/// the calls that are open. A level whose first window has only failures ends there. Blocking.
LevelResult measure_level(const StartCall& start, LoadLevel level, const LoadOptions& options);

}  // namespace farm
