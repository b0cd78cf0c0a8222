// What a broker learns of its workers: rates, faults, results received.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/broker/core/broker_bench.h"

namespace farm {
namespace {

struct BrokerLearningTest : ::testing::Test, BrokerBench {};

// A first run that took long (cold caches) left the worker without calls that could correct it.
TEST_F(BrokerLearningTest, WorkerThatWasSlowOnceIsTriedAgain) {
    worker(1, 1);
    worker(2, 2);
    join(3, Role::client, 3);
    const auto run = [&](std::uint64_t number, std::uint64_t slow_ns, std::uint64_t fast_ns) {
        receive(3, make_call(number));
        const bool on_first = !sent<Call>(1).empty() && sent<Call>(1).back().key == key(number);
        Answer answer = make_answer(number);
        answer.timings.run_rows = 1;
        answer.timings.compute_ns = on_first ? slow_ns : fast_ns;
        receive(on_first ? 1 : 2, answer);
        return on_first;
    };
    int on_first = 0;
    for (std::uint64_t number = 1; number <= 20; ++number) {
        on_first += run(number, 100'000'000, 1'000'000) ? 1 : 0;
        pass(std::chrono::milliseconds(1));
    }
    EXPECT_LE(on_first, 2);  // it was tried, and proved slow

    on_first = 0;
    for (std::uint64_t number = 21; number <= 30; ++number) {
        receive(1, Beat{});
        receive(2, Beat{});
        grant(1, 4);
        grant(2, 4);
        for (int beat = 0; beat < 3; ++beat) {
            pass(std::chrono::seconds(1));
            receive(1, Beat{});
            receive(2, Beat{});
        }
        on_first += run(number, 1'000'000, 1'000'000) ? 1 : 0;
    }
    EXPECT_GE(on_first, 1);
}

// A worker keeps a bounded number of results until they are acknowledged.
TEST_F(BrokerLearningTest, ResultsAreAcknowledgedBeforeAWorkerRunsOutOfRoom) {
    worker(1, 1);
    join(2, Role::client, 2);
    for (std::uint64_t number = 1; number <= limits::kept_result_count; ++number) {
        receive(2, make_call(number));
        Answer answer = make_answer(number);
        answer.sequence = number;
        receive(1, answer);
    }
    const auto beats = sent<Beat>(1);  // no time has passed: none of them was due
    ASSERT_FALSE(beats.empty());
    EXPECT_GE(beats.back().result_sequence, limits::kept_result_count / 2);
}

TEST_F(BrokerLearningTest, FaultyWorkersLeaveTheRotationButNeverMoreThanHalf) {
    for (std::uint64_t link = 1; link <= 4; ++link) worker(link, link);
    join(9, Role::client, 9);
    const auto worker_of = [&](std::uint64_t number) -> std::uint64_t {
        for (std::uint64_t link = 1; link <= 4; ++link) {
            const auto calls = sent<Call>(link);
            if (!calls.empty() && calls.back().key == key(number)) return link;
        }
        return 0;
    };
    std::set<std::uint64_t> used;
    for (std::uint64_t number = 1; number <= 40; ++number) {
        receive(9, make_call(number));
        const std::uint64_t link = worker_of(number);
        ASSERT_NE(link, 0U) << "call " << number << " has no worker";
        used.insert(link);
        receive(link, make_answer(number, Outcome::device_fault));
    }
    EXPECT_EQ(used.size(), 3U);  // two were taken out, the third had to stay
}

// What it has learned of its own speed must not cost a worker its windows or bring it back early.
TEST_F(BrokerLearningTest, AWorkerThatAdvertisesAnotherCurveKeepsEverythingElse) {
    worker(1, 1);
    worker(2, 2);
    join(9, Role::client, 9);
    receive(9, make_call(1));
    const std::uint64_t link = sent<Call>(1).empty() ? 2 : 1;
    receive(link, make_answer(1, Outcome::device_fault));
    const auto status_of = [&] {
        for (const ServiceStatus& service : machine.report(now).services) {
            if (service.worker == "worker" + std::to_string(link)) return service;
        }
        return ServiceStatus{};
    };
    const ServiceStatus before = status_of();
    ASSERT_TRUE(before.ejected);

    ServiceAd ad;
    ad.index = ServiceIndex{1};
    ad.model = "gnn";
    ad.max_result_bytes = 1000;
    ad.cost = {{1, 3'000'000}, {8, 9'000'000}};
    receive(link, Advertise{{ad}, {}, {}, {}});
    const ServiceStatus after = status_of();
    EXPECT_EQ(after.cost, ad.cost);
    EXPECT_EQ(after.row_ns, 3'000'000U);
    EXPECT_TRUE(after.ejected);
    EXPECT_EQ(after.window_count, before.window_count);
    EXPECT_EQ(machine.report(now).services.size(), 2U);
}

TEST_F(BrokerLearningTest, AnotherModelUnderTheSameIndexStartsAnew) {
    worker(1, 1);
    offer(1, "cnn");
    const auto services = machine.report(now).services;
    ASSERT_EQ(services.size(), 1U);
    EXPECT_EQ(services[0].name, "cnn/1");
    EXPECT_EQ(services[0].window_count, 0U);
}

}  // namespace
}  // namespace farm
