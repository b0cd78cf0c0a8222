#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "common/core/clock.h"
#include "common/core/error.h"

namespace farm {

/// Something that a thread can wait for. Its members are guarded by LoopTurns::mutex().
struct Awaited {
    virtual ~Awaited() = default;
    bool ready{false};
    std::condition_variable* sleeper{nullptr};  ///< of the one thread that waits for it
};

/// Who drives a loop that belongs to no thread: leader and followers.
///
/// One thread at a time leads, that is, runs turns of the loop. A thread that waits leads when
/// nobody else does, so its answer costs no hand-over; the others sleep, each on a condition of its
/// own, until their thing is ready or it is their turn to lead. A background thread, where there is
/// one, leads when nobody waits: at once while hurry() says that somebody counts on it, else after
/// `idle_time` without a turn. A thread that comes to wait takes over from it. It also sends what
/// nobody else does, because of nudge_later() or because it came when a leader had made its last
/// turn.
///
/// A waiting inside a turn (from a callback) runs turns of its own.
/// Threads: everything is for any thread unless said otherwise.
class LoopTurns {
  public:
    static constexpr auto idle_time = std::chrono::milliseconds(20);
    static constexpr auto gather_time = std::chrono::milliseconds(1);

    struct Loop {
        /// One turn: sleeps until there is something (orders are) or `until` (nothing: no limit),
        /// takes what is there and sends what is new. Until TimePoint{}, which is long ago, it
        /// sends only. Called without the mutex, by the leader.
        std::function<void(std::optional<TimePoint> until)> turn;
        /// Ends the sleep of turn().
        std::function<void()> wake;
        /// Whether something waits to be sent by a turn. Asked with the mutex held.
        std::function<bool()> has_orders;
        /// Asked with the mutex held.
        std::function<bool()> hurry;
    };

    explicit LoopTurns(Loop loop) : loop_(std::move(loop)) {}
    ~LoopTurns() { stop_background(); }
    LoopTurns(const LoopTurns&) = delete;
    LoopTurns& operator=(const LoopTurns&) = delete;

    std::mutex& mutex() { return mutex_; }

    /// Until `awaited` is ready or `until`; true when it is ready. One thread per Awaited.
    bool wait(Awaited& awaited, std::optional<TimePoint> until);
    /// With the mutex held: marks it, and wakes who sleeps for it.
    void make_ready(Awaited& awaited);
    /// There is an order: the leader is told, or one turn is made here.
    void nudge();
    /// The same, but the next turn that anybody makes is soon enough. Where none is made, the
    /// background thread makes one, `gather_time` to twice that later; so there must be one.
    void nudge_later();

    /// With the mutex held.
    bool has_background() const { return background_.joinable(); }
    /// With the mutex held: starts it when there is none; it holds `keeps_alive` (the owner of
    /// this) until it ends, and blocks all signals. Errors (unavailable): the system has no thread
    /// for it.
    Result<void> start_background(std::shared_ptr<void> keeps_alive);
    /// Ends it for good. Waits for its end, unless this is it.
    void stop_background();

  private:
    using Lock = std::unique_lock<std::mutex>;

    bool may_lead() const;
    void lead_until(Lock& lock, const Awaited& awaited, std::optional<TimePoint> until);
    void run_turn(Lock& lock, std::optional<TimePoint> until);
    void send(Lock& lock);
    void hand_over();
    void background();
    void lead_in_background(Lock& lock);

    Loop loop_;
    std::mutex mutex_;
    std::thread::id leader_;  ///< none: nobody leads
    bool background_leads_{false};
    std::list<std::condition_variable*> sleepers_;  ///< threads that wait and do not lead
    TimePoint last_turn_{};
    bool holds_{false};        ///< orders wait because of nudge_later()
    TimePoint held_since_{};   ///< when they last began to
    bool looks_often_{false};  ///< the background thread does, for their sake
    std::thread background_;
    std::condition_variable background_wakes_;
    bool stopping_{false};
};

}  // namespace farm
