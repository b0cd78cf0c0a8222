#include "cpu_client/app/load_driver.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "cpu_client/app/statistics.h"

namespace farm {

namespace {

/// After a failure the next call waits so long, or a call that is refused at once would spin.
constexpr auto failure_pause = std::chrono::milliseconds(10);
constexpr std::uint64_t calls_per_window = 5;  ///< at least, within ten windows' time
constexpr int longest_window_factor = 10;

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

struct Window {
    double seconds{0};
    std::vector<CallSample> samples;
};

/// The calls under way, shared with their callbacks.
class Flight : public std::enable_shared_from_this<Flight> {
  public:
    Flight(const StartCall& start, bool keeps_going) : start_(start), keeps_going_(keeps_going) {}

    void send(Duration late) {
        {
            const std::lock_guard lock(mutex_);
            ++open_count_;
        }
        start_([self = shared_from_this(), late](CallSample sample) {
            self->take(std::move(sample), late);
        });
    }

    /// Waits for `until` or, when asked, for a call that has ended and was not replaced.
    void wait(TimePoint until, bool for_ended) {
        std::unique_lock lock(mutex_);
        const auto ready = [&] { return for_ended && ended_since_wait_; };
        const auto rest = until - steady_now();
        if (rest > Duration(0)) changed_.wait_for(lock, rest, ready);
        ended_since_wait_ = false;
    }

    void finish() {
        std::unique_lock lock(mutex_);
        keeps_going_ = false;
        changed_.wait(lock, [&] { return open_count_ == 0; });
    }

    std::uint32_t open_count() const {
        const std::lock_guard lock(mutex_);
        return open_count_;
    }
    std::size_t sample_count() const {
        const std::lock_guard lock(mutex_);
        return samples_.size();
    }
    bool last_failed() const {
        const std::lock_guard lock(mutex_);
        return last_failed_;
    }
    std::vector<CallSample> take_samples() {
        const std::lock_guard lock(mutex_);
        return std::exchange(samples_, {});
    }

  private:
    void take(CallSample sample, Duration late) {
        bool is_replaced = false;
        {
            const std::lock_guard lock(mutex_);
            sample.latency += late;
            last_failed_ = sample.status != CallStatus::ok;
            is_replaced = keeps_going_ && !last_failed_;
            samples_.push_back(std::move(sample));
            if (!is_replaced) {
                --open_count_;
                ended_since_wait_ = true;
                changed_.notify_all();
            }
        }
        if (!is_replaced) return;
        start_([self = shared_from_this()](CallSample next) {
            self->take(std::move(next), Duration(0));
        });
    }

    const StartCall& start_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<CallSample> samples_;
    std::uint32_t open_count_{0};
    bool keeps_going_;
    bool last_failed_{false};
    bool ended_since_wait_{false};
};

/// Keeps one level up, window by window.
class LevelRun {
  public:
    LevelRun(const StartCall& start, LoadLevel level, const LoadOptions& options)
        : level_(level),
          options_(options),
          flight_(std::make_shared<Flight>(start, level.kind == LoadLevel::Kind::concurrency)),
          next_due_(steady_now()) {}
    ~LevelRun() { flight_->finish(); }
    LevelRun(const LevelRun&) = delete;
    LevelRun& operator=(const LevelRun&) = delete;

    Window run_window() {
        const TimePoint begin = steady_now();
        const Duration length = options_.window;
        TimePoint now = begin;
        while (now - begin < length || (flight_->sample_count() < calls_per_window &&
                                        now - begin < longest_window_factor * length)) {
            const TimePoint look_again = now - begin < length ? begin + length : now + length / 10;
            send_due(now);
            if (level_.kind == LoadLevel::Kind::rate) {
                flight_->wait(std::min(look_again, next_due_), false);
            } else {
                flight_->wait(
                    flight_->last_failed() ? std::min(look_again, now + failure_pause) : look_again,
                    !flight_->last_failed());
            }
            now = steady_now();
        }
        return {std::chrono::duration<double>(now - begin).count(), flight_->take_samples()};
    }

  private:
    void send_due(TimePoint now) {
        if (level_.kind == LoadLevel::Kind::concurrency) {
            while (flight_->open_count() < static_cast<std::uint32_t>(level_.value)) {
                flight_->send(Duration(0));
                if (flight_->last_failed()) return;
            }
            return;
        }
        const auto interval =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / level_.value));
        while (next_due_ <= now) {
            if (flight_->open_count() >= options_.open_limit_count) {
                flight_->wait(now + failure_pause, true);
                return;
            }
            flight_->send(steady_now() - next_due_);
            next_due_ += interval;
        }
    }

    LoadLevel level_;
    const LoadOptions& options_;
    std::shared_ptr<Flight> flight_;
    TimePoint next_due_;
};

std::vector<double> ok_latencies(const Window& window) {
    std::vector<double> latencies;
    for (const CallSample& sample : window.samples) {
        if (sample.status == CallStatus::ok) latencies.push_back(milliseconds(sample.latency));
    }
    return latencies;
}

void note_failures(const Window& window, LevelResult& result) {
    for (const CallSample& sample : window.samples) {
        ++result.by_status.at(static_cast<std::size_t>(sample.status));
        if (sample.status == CallStatus::ok || result.first_failure != CallStatus::ok) continue;
        result.first_failure = sample.status;
        result.failure_detail = sample.detail;
    }
}

void summarise(const std::deque<Window>& windows, LevelResult& result) {
    std::vector<double> latencies;
    double queue_ns = 0, compute_ns = 0, run_calls = 0;
    for (const Window& window : windows) {
        result.seconds += window.seconds;
        for (const CallSample& sample : window.samples) {
            if (sample.status != CallStatus::ok) {
                ++result.failed_count;
                continue;
            }
            latencies.push_back(milliseconds(sample.latency));
            queue_ns += static_cast<double>(sample.timings.queue_ns);
            compute_ns += static_cast<double>(sample.timings.compute_ns);
            run_calls += sample.timings.run_calls;
        }
    }
    result.ok_count = latencies.size();
    if (latencies.empty()) return;
    const auto count = static_cast<double>(latencies.size());
    std::sort(latencies.begin(), latencies.end());
    result.calls_per_s = count / result.seconds;
    result.mean_ms = mean(latencies);
    result.p50_ms = percentile(latencies, 0.50);
    result.p90_ms = percentile(latencies, 0.90);
    result.p95_ms = percentile(latencies, 0.95);
    result.p99_ms = percentile(latencies, 0.99);
    result.queue_ms = queue_ns / count * 1e-6;
    result.compute_ms = compute_ns / count * 1e-6;
    result.other_ms = std::max(0.0, result.mean_ms - result.queue_ms - result.compute_ms);
    result.calls_per_run = run_calls / count;
}

}  // namespace

LevelResult measure_level(const StartCall& start, LoadLevel level, const LoadOptions& options) {
    LevelResult result;
    result.level = level;
    StableWindows stable;
    std::deque<Window> last;
    LevelRun run(start, level, options);
    for (std::uint32_t i = 0; i < options.window_limit_count && !result.stable; ++i) {
        last.push_back(run.run_window());
        if (last.size() > StableWindows::window_count) last.pop_front();
        note_failures(last.back(), result);
        const auto latencies = ok_latencies(last.back());
        stable.add({static_cast<double>(latencies.size()) / last.back().seconds, mean(latencies)});
        result.stable = stable.stable();
        if (latencies.empty() && !last.back().samples.empty()) break;
    }
    summarise(last, result);
    return result;
}

}  // namespace farm
