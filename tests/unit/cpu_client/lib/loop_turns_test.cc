#include "cpu_client/lib/loop_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <deque>
#include <vector>

#include "tests/support/no_more_threads.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

/// A loop without a network: turns finish what was ordered, one thing each, and check that they
/// never overlap.
class FakeLoop {
  public:
    explicit FakeLoop(bool hurry = false)
        : turns({[this](std::optional<TimePoint> until) { turn(until); }, [this] { wake(); },
                 [this] { return has_orders(); }, [hurry] { return hurry; }}) {}

    void order(std::shared_ptr<Awaited> what) {
        leave(std::move(what));
        wake();
    }
    /// Tells nobody.
    void leave(std::shared_ptr<Awaited> what) {
        std::lock_guard lock(mutex_);
        orders_.push_back(std::move(what));
    }
    void wake() {
        std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_all();
    }

    std::atomic<int> turn_count{0};
    std::atomic<int> send_only_count{0};
    std::function<void()> in_turn;
    LoopTurns turns;

  private:
    bool has_orders() {
        std::lock_guard lock(mutex_);
        return !orders_.empty();
    }
    void turn(std::optional<TimePoint> until) {
        EXPECT_EQ(inside_.fetch_add(1), nested_) << "two leaders";
        ++turn_count;
        if (until == TimePoint{}) ++send_only_count;
        std::shared_ptr<Awaited> done;
        {
            std::unique_lock lock(mutex_);
            const auto work = [this] { return woken_ || !orders_.empty(); };
            if (!until) {
                changed_.wait(lock, work);
            } else if (*until > steady_now()) {
                changed_.wait_for(lock, *until - steady_now(), work);
            }
            woken_ = false;
            if (!orders_.empty()) {
                done = orders_.front();
                orders_.pop_front();
            }
        }
        if (done) {
            std::lock_guard lock(turns.mutex());
            turns.make_ready(*done);
        }
        if (auto nested = std::exchange(in_turn, nullptr)) {
            ++nested_;
            nested();
            --nested_;
        }
        inside_.fetch_sub(1);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Awaited>> orders_;
    bool woken_{false};
    std::atomic<int> inside_{0};
    std::atomic<int> nested_{0};
};

TEST(LoopTurnsTest, ThreadThatWaitsDrivesTheLoop) {
    FakeLoop loop;
    auto thing = std::make_shared<Awaited>();
    loop.order(thing);
    EXPECT_TRUE(loop.turns.wait(*thing, std::nullopt));
    EXPECT_GE(loop.turn_count, 1);
}

TEST(LoopTurnsTest, WaitEndsAtItsLimit) {
    FakeLoop loop;
    Awaited never;
    EXPECT_FALSE(loop.turns.wait(never, steady_now() + 5ms));
    EXPECT_FALSE(loop.turns.wait(never, TimePoint{}));
}

TEST(LoopTurnsTest, ManyThreadsWaitAndOneLeadsAtATime) {
    FakeLoop loop;
    std::vector<std::thread> threads;
    std::atomic<int> served{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                auto thing = std::make_shared<Awaited>();
                loop.order(thing);
                loop.turns.nudge();
                if (loop.turns.wait(*thing, std::nullopt)) ++served;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(served, 800);
}

void start_background(const std::shared_ptr<FakeLoop>& loop) {
    std::lock_guard lock(loop->turns.mutex());
    EXPECT_TRUE(loop->turns.start_background(loop));
}

TEST(LoopTurnsTest, BackgroundDrivesWhenNobodyWaitsAndStepsBackForWhoDoes) {
    auto loop = std::make_shared<FakeLoop>(true);
    start_background(loop);
    std::vector<std::shared_ptr<Awaited>> things;
    for (int i = 0; i < 100; ++i) {
        things.push_back(std::make_shared<Awaited>());
        loop->order(things.back());
        if (i % 3 == 0) {
            EXPECT_TRUE(loop->turns.wait(*things.back(), std::nullopt));
        }
    }
    for (const auto& thing : things) {  // served, whether anybody waits or not
        while (true) {
            std::lock_guard lock(loop->turns.mutex());
            if (thing->ready) break;
        }
    }
    loop->turns.stop_background();
}

TEST(LoopTurnsTest, WithoutAThreadForTheBackgroundThereIsAnErrorAndSignalsStillCome) {
    auto loop = std::make_shared<FakeLoop>(true);
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    {
        const testing::NoMoreThreads none;
        std::lock_guard lock(loop->turns.mutex());
        const auto started = loop->turns.start_background(loop);
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code, ErrorCode::unavailable);
        EXPECT_FALSE(loop->turns.has_background());
    }
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
    EXPECT_EQ(sigismember(&after, SIGHUP), sigismember(&before, SIGHUP));
    start_background(loop);
    loop->turns.stop_background();
}

TEST(LoopTurnsTest, BackgroundMakesTheTurnThatWasToComeLater) {
    auto loop = std::make_shared<FakeLoop>();
    start_background(loop);
    Awaited never;
    // By a turn that only sends: not because it leads, which it does where this test stalls for
    // `idle_time`; then once more.
    while (loop->send_only_count == 0) {
        EXPECT_FALSE(loop->turns.wait(never, steady_now() + 1ms));  // nobody leads from here on
        auto thing = std::make_shared<Awaited>();
        loop->leave(thing);
        loop->turns.nudge_later();
        while (true) {
            std::lock_guard lock(loop->turns.mutex());
            if (thing->ready) break;
        }
    }
    loop->turns.stop_background();
}

TEST(LoopTurnsTest, WaitTakesAlongWhatWasToComeLater) {
    FakeLoop loop;
    auto thing = std::make_shared<Awaited>();
    loop.leave(thing);
    loop.turns.nudge_later();
    EXPECT_EQ(loop.turn_count, 0);
    EXPECT_TRUE(loop.turns.wait(*thing, std::nullopt));
    EXPECT_EQ(loop.turn_count, 1);
}

TEST(LoopTurnsTest, LeaderIsWokenForWhatMayComeLater) {
    FakeLoop loop;
    auto thing = std::make_shared<Awaited>();
    std::thread leader([&] { EXPECT_TRUE(loop.turns.wait(*thing, std::nullopt)); });
    while (loop.turn_count == 0) std::this_thread::yield();  // it sleeps, or is about to
    loop.leave(thing);
    loop.turns.nudge_later();
    leader.join();
}

TEST(LoopTurnsTest, BackgroundSendsWhatCameTooLateForALeadersLastTurn) {
    auto loop = std::make_shared<FakeLoop>();
    start_background(loop);
    auto awaited = std::make_shared<Awaited>();
    auto late = std::make_shared<Awaited>();
    loop->in_turn = [&] { loop->leave(late); };  // the orders of this turn have been taken already
    loop->order(awaited);
    EXPECT_TRUE(loop->turns.wait(*awaited, std::nullopt));
    while (true) {
        std::lock_guard lock(loop->turns.mutex());
        if (late->ready) break;
    }
    loop->turns.stop_background();
}

TEST(LoopTurnsTest, WaitInsideATurnRunsTurnsOfItsOwn) {
    FakeLoop loop;
    auto outer = std::make_shared<Awaited>();
    auto inner = std::make_shared<Awaited>();
    bool inner_done = false;
    loop.in_turn = [&] {
        loop.order(inner);
        inner_done = loop.turns.wait(*inner, std::nullopt);
    };
    loop.order(outer);
    EXPECT_TRUE(loop.turns.wait(*outer, std::nullopt));
    EXPECT_TRUE(inner_done);
}

TEST(LoopTurnsTest, BackgroundThatDropsTheLastOwnerEndsByItself) {
    std::weak_ptr<FakeLoop> left;
    {
        auto loop = std::make_shared<FakeLoop>(true);
        left = loop;
        loop->in_turn = [turns = &loop->turns] { turns->stop_background(); };
        start_background(loop);
        loop->wake();
    }
    while (!left.expired()) std::this_thread::yield();
}

}  // namespace
}  // namespace farm
