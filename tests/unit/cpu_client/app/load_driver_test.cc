#include "cpu_client/app/load_driver.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "cpu_client/app/bench_report.h"
#include "cpu_client/app/table.h"

namespace farm {
namespace {

/// Answers calls from a thread of its own, in their order; counts how many are open.
class FakeFarm {
  public:
    FakeFarm() : thread_([this](std::stop_token stop) { serve(stop); }) {}

    StartCall start() {
        return [this](SampleDone done) {
            const std::lock_guard lock(mutex_);
            waiting_.push_back(std::move(done));
            most_open_ = std::max(most_open_, waiting_.size() + in_service_);
            ++sent_;
            changed_.notify_one();
        };
    }
    std::function<CallSample(std::size_t)> answer = [](std::size_t) {
        return CallSample{
            CallStatus::ok, "", std::chrono::milliseconds(4), {1'000'000, 0, 2'000'000, 0, 1, 2}};
    };
    std::size_t most_open() const { return most_open_; }
    std::size_t sent() const { return sent_; }

  private:
    void serve(std::stop_token stop) {
        std::unique_lock lock(mutex_);
        std::size_t served = 0;
        while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
            SampleDone done = std::move(waiting_.front());
            waiting_.pop_front();
            in_service_ = 1;
            lock.unlock();
            done(answer(served++));
            lock.lock();
            in_service_ = 0;
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<SampleDone> waiting_;
    std::size_t in_service_{0};
    std::size_t most_open_{0};
    std::size_t sent_{0};
    std::jthread thread_;
};

LoadOptions quick() { return {std::chrono::milliseconds(20), 4, 64}; }

TEST(LoadDriverTest, ConcurrencyKeepsSoManyOpen) {
    FakeFarm farm;
    const auto result = measure_level(farm.start(), {LoadLevel::Kind::concurrency, 4}, quick());
    // A call is replaced from its own callback, while the fake still counts it as served.
    EXPECT_GE(farm.most_open(), 4U);
    EXPECT_LE(farm.most_open(), 5U);
    EXPECT_GT(result.ok_count, 0U);
    EXPECT_EQ(result.failed_count, 0U);
    EXPECT_NEAR(result.p50_ms, 4, 1e-9);
    EXPECT_NEAR(result.queue_ms, 1, 1e-9);
    EXPECT_NEAR(result.compute_ms, 2, 1e-9);
    EXPECT_NEAR(result.other_ms, 1, 1e-9);
    EXPECT_NEAR(result.calls_per_run, 2, 1e-9);
    EXPECT_NEAR(result.calls_per_s * result.seconds, static_cast<double>(result.ok_count), 1e-6);
}

TEST(LoadDriverTest, RateSendsByTheClockAndWaitsAtTheBound) {
    FakeFarm farm;
    LoadOptions options = quick();
    options.open_limit_count = 3;
    // More than anything can do: the bound holds, and latency grows from the due time.
    const auto result = measure_level(farm.start(), {LoadLevel::Kind::rate, 1e9}, options);
    EXPECT_LE(farm.most_open(), 4U);
    EXPECT_GT(result.mean_ms, 4);
    EXPECT_GT(result.ok_count, 0U);
}

TEST(LoadDriverTest, OnlyFailuresEndTheLevel) {
    FakeFarm farm;
    farm.answer = [](std::size_t) {
        return CallSample{CallStatus::invalid, "no input 'x'", {}, {}};
    };
    const auto result = measure_level(farm.start(), {LoadLevel::Kind::concurrency, 8}, quick());
    EXPECT_EQ(result.ok_count, 0U);
    EXPECT_FALSE(result.stable);
    EXPECT_EQ(result.first_failure, CallStatus::invalid);
    EXPECT_EQ(result.failure_detail, "no input 'x'");
    EXPECT_GT(result.by_status[static_cast<std::size_t>(CallStatus::invalid)], 0U);
}

TEST(LoadDriverTest, CallRefusedAtOnceDoesNotSpin) {
    std::size_t sent = 0;
    const StartCall refuse = [&](const SampleDone& done) {
        ++sent;
        done({CallStatus::overloaded, "full", {}, {}});
    };
    measure_level(refuse, {LoadLevel::Kind::concurrency, 4}, {std::chrono::milliseconds(50), 3, 8});
    EXPECT_GT(sent, 0U);
    EXPECT_LT(sent, 100U);
}

TEST(LoadDriverTest, SomeFailuresAreCountedApart) {
    FakeFarm farm;
    farm.answer = [](std::size_t i) {
        CallSample sample{CallStatus::ok, "", std::chrono::milliseconds(1), {}};
        if (i % 5 == 4) sample.status = CallStatus::deadline;
        return sample;
    };
    const auto result = measure_level(farm.start(), {LoadLevel::Kind::concurrency, 2}, quick());
    EXPECT_GT(result.ok_count, 0U);
    EXPECT_GT(result.failed_count, 0U);
    EXPECT_EQ(result.first_failure, CallStatus::deadline);
}

TEST(BenchReportTest, RowsFitTheTerminalAndTheHeading) {
    LevelResult result;
    result.level = {LoadLevel::Kind::concurrency, 4096};
    result.calls_per_s = 123456.7;
    result.p50_ms = 1.2345;
    result.p90_ms = 12.345;
    result.p95_ms = 123.45;
    result.p99_ms = 12345.6;
    result.queue_ms = result.compute_ms = result.other_ms = 99.999;
    result.failed_count = 99999;
    const auto heading = bench_heading(LoadLevel::Kind::concurrency);
    const auto row = bench_row(result, 1000);
    EXPECT_LE(row.size(), terminal_columns + 1) << row;
    EXPECT_EQ(row.size(), heading.size()) << heading << row;
    EXPECT_NE(row.find("4096*"), std::string::npos) << "not stable, so it is marked";
    EXPECT_NE(row.find("1.234"), std::string::npos) << row;
}

TEST(BenchReportTest, CsvHasAsManyFieldsAsTitles) {
    const auto csv = bench_csv({}, {LevelResult{}, LevelResult{}});
    std::istringstream stream(csv);
    std::vector<std::ptrdiff_t> commas;
    for (std::string line; std::getline(stream, line);) {
        commas.push_back(std::count(line.begin(), line.end(), ','));
    }
    EXPECT_EQ(commas, (std::vector<std::ptrdiff_t>{16, 16, 16}));
}

}  // namespace
}  // namespace farm
