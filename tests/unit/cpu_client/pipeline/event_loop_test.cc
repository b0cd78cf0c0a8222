#include "cpu_client/pipeline/event_loop.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace farm {
namespace {

struct TestEvent {
    int number{0};
    int prepared{0};
    int answer{0};
};

/// Collects calls and answers them from a thread of its own once `batch_count` are there, the last
/// one first; or all of them once nothing more comes.
class FakeRemote {
  public:
    explicit FakeRemote(std::size_t batch_count)
        : batch_count_(batch_count), thread_([this](std::stop_token stop) { serve(stop); }) {}

    void call(TestEvent& event, EventDone done) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({&event, std::move(done)});
        most_waiting_ = std::max(most_waiting_, waiting_.size());
        changed_.notify_one();
    }
    /// From now on one call is enough.
    void expect_no_more() {
        const std::lock_guard lock(mutex_);
        batch_count_ = 1;
        changed_.notify_one();
    }
    std::size_t most_waiting() const { return most_waiting_; }

    std::function<CallStatus(const TestEvent&)> status = [](const TestEvent&) {
        return CallStatus::ok;
    };

  private:
    struct Waiting {
        TestEvent* event;
        EventDone done;
    };

    void serve(std::stop_token stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [&] { return waiting_.size() >= batch_count_; })) {
            auto batch = std::exchange(waiting_, {});
            lock.unlock();
            for (auto one = batch.rbegin(); one != batch.rend(); ++one) {
                one->event->answer = one->event->prepared * 10;
                one->done(status(*one->event));
            }
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<Waiting> waiting_;
    std::size_t batch_count_;
    std::size_t most_waiting_{0};
    std::jthread thread_;
};

struct Output {
    int number;
    int answer;
    CallStatus status;
};

/// Steps over `count` events; remembers what came out.
class EventLoopTest : public ::testing::Test {
  protected:
    EventSteps<TestEvent> steps(int count, FakeRemote& remote) {
        EventSteps<TestEvent> steps;
        steps.read = [this, count, &remote](TestEvent& event) {
            if (next_ == count) {
                remote.expect_no_more();
                return false;
            }
            event.number = next_++;
            return true;
        };
        steps.prepare = [](TestEvent& event) {
            event.prepared = event.number + 1;
            return std::optional<CallStatus>();
        };
        steps.call = [&remote](TestEvent& event, EventDone done) {
            remote.call(event, std::move(done));
        };
        steps.finish = [](TestEvent& event) {
            ++event.answer;
            return CallStatus::ok;
        };
        steps.output = [this](TestEvent& event, CallStatus status) {
            outputs_.push_back({event.number, event.answer, status});
        };
        return steps;
    }
    std::vector<int> numbers() const {
        std::vector<int> all;
        for (const Output& output : outputs_) all.push_back(output.number);
        return all;
    }
    static std::vector<int> first_numbers(int count) {
        std::vector<int> all(static_cast<std::size_t>(count));
        std::iota(all.begin(), all.end(), 0);
        return all;
    }

    int next_{0};
    std::vector<Output> outputs_;
};

TEST_F(EventLoopTest, CallsOverlapUpToTheBoundAndNoFurther) {
    FakeRemote remote(4);  // answers nothing until four calls are open at once
    EventLoopOptions options{.in_flight_count = 4};
    const auto progress = run_event_loop(steps(40, remote), options);
    EXPECT_EQ(progress.read_count, 40U);
    EXPECT_EQ(progress.done_count, 40U);
    EXPECT_EQ(progress.count(CallStatus::ok), 40U);
    EXPECT_EQ(progress.most_in_flight_count, 4U);
    EXPECT_EQ(remote.most_waiting(), 4U);
    auto done = numbers();
    EXPECT_NE(done, first_numbers(40));  // batches are answered last first
    std::sort(done.begin(), done.end());
    EXPECT_EQ(done, first_numbers(40));
    for (const Output& output : outputs_) EXPECT_EQ(output.answer, (output.number + 1) * 10 + 1);
}

TEST_F(EventLoopTest, AsReadPutsOutInOrder) {
    FakeRemote remote(5);
    EventLoopOptions options{.in_flight_count = 5, .order = EventLoopOptions::Order::as_read};
    const auto progress = run_event_loop(steps(50, remote), options);
    EXPECT_EQ(numbers(), first_numbers(50));
    EXPECT_LE(progress.most_in_flight_count, 5U);
}

TEST_F(EventLoopTest, FailuresAreCountedAndTheRestGoesOn) {
    FakeRemote remote(1);
    remote.status = [](const TestEvent& event) {
        return event.number % 4 == 0 ? CallStatus::deadline : CallStatus::ok;
    };
    const auto progress = run_event_loop(steps(12, remote), {});
    EXPECT_EQ(progress.count(CallStatus::deadline), 3U);
    EXPECT_EQ(progress.count(CallStatus::ok), 9U);
    EXPECT_EQ(progress.failed_count(), 3U);
    for (const Output& output : outputs_) {
        if (output.status != CallStatus::ok) {
            EXPECT_EQ(output.answer % 10, 0) << "finish ran for a call that failed";
        }
    }
}

TEST_F(EventLoopTest, StopReadingEndsAfterTheFirstFailure) {
    FakeRemote remote(1);
    remote.status = [](const TestEvent& event) {
        return event.number == 3 ? CallStatus::invalid : CallStatus::ok;
    };
    EventLoopOptions options{.in_flight_count = 2,
                             .on_failure = EventLoopOptions::OnFailure::stop_reading};
    const auto progress = run_event_loop(steps(1000, remote), options);
    EXPECT_EQ(progress.count(CallStatus::invalid), 1U);
    EXPECT_EQ(progress.done_count, progress.read_count);
    EXPECT_LE(progress.read_count, 3U + 1 + 2 + 2);
}

TEST_F(EventLoopTest, PreparedAsFailedMakesNoCall) {
    FakeRemote remote(1);
    auto all = steps(6, remote);
    std::atomic<int> call_count{0};
    all.prepare = [](TestEvent& event) {
        return event.number % 2 ? std::optional(CallStatus::invalid) : std::nullopt;
    };
    all.call = [&](TestEvent& event, EventDone done) {
        ++call_count;
        remote.call(event, std::move(done));
    };
    const auto progress = run_event_loop(all, {});
    EXPECT_EQ(call_count, 3);
    EXPECT_EQ(progress.count(CallStatus::invalid), 3U);
    EXPECT_EQ(outputs_.size(), 6U);
}

TEST_F(EventLoopTest, ThrowingStepEndsOneEvent) {
    FakeRemote remote(1);
    auto all = steps(8, remote);
    all.prepare = [](TestEvent& event) -> std::optional<CallStatus> {
        if (event.number == 1) throw std::runtime_error("prepare");
        return std::nullopt;
    };
    all.call = [&](TestEvent& event, EventDone done) {
        if (event.number == 2) throw std::runtime_error("call");
        remote.call(event, std::move(done));
    };
    all.finish = [](TestEvent& event) -> CallStatus {
        if (event.number == 3) throw 4;
        return CallStatus::ok;
    };
    const auto progress = run_event_loop(all, {});
    EXPECT_EQ(progress.count(CallStatus::internal), 3U);
    EXPECT_EQ(progress.count(CallStatus::ok), 5U);
}

TEST_F(EventLoopTest, CallAnsweredAtOnceAndTwiceCountsOnce) {
    FakeRemote remote(1);
    auto all = steps(10, remote);
    all.call = [](TestEvent&, const EventDone& done) {
        done(CallStatus::ok);
        done(CallStatus::internal);
    };
    const auto progress = run_event_loop(all, {});
    EXPECT_EQ(progress.count(CallStatus::ok), 10U);
}

TEST_F(EventLoopTest, StopTokenFinishesWhatIsInFlight) {
    FakeRemote remote(1);
    std::stop_source stop;
    EventLoopOptions options{.in_flight_count = 3, .stop = stop.get_token()};
    std::vector<std::uint64_t> seen;
    options.progress = [&](const EventLoopProgress& progress) {
        seen.push_back(progress.done_count);
        if (progress.done_count == 5) stop.request_stop();
    };
    const auto progress = run_event_loop(steps(100000, remote), options);
    EXPECT_GE(progress.done_count, 5U);
    EXPECT_LE(progress.done_count, 5U + 3 + 1);
    EXPECT_EQ(progress.done_count, progress.read_count);
    EXPECT_EQ(seen.size(), progress.done_count);
}

TEST_F(EventLoopTest, NoEventsIsDone) {
    FakeRemote remote(1);
    EXPECT_EQ(run_event_loop(steps(0, remote), {}).done_count, 0U);
}

}  // namespace
}  // namespace farm
