#include "gpu_worker/core/worker_machine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "schemas/cost_curve.h"
#include "tests/support/worker_rim.h"
#include "tests/unit/gpu_worker/core/service_ad.h"

namespace farm {
namespace {

using namespace std::chrono_literals;
using testing::service;

WorkerRim::CallOptions with_rows(std::uint32_t rows) {
    WorkerRim::CallOptions options;
    options.rows = rows;
    return options;
}

TEST(WorkerMachineTest, AdvertisesInPages) {
    WorkerRim rim;
    for (std::uint16_t i = 1; i <= limits::page_entry_count + 1; ++i) rim.model(service(i));
    rim.opened(0);
    const auto pages = sent<Advertise>(rim.welcome(0));
    ASSERT_EQ(pages.size(), 2U);
    EXPECT_EQ(pages[0].services.size(), limits::page_entry_count);
    EXPECT_EQ(pages[1].services.size(), 1U);
}

TEST(WorkerMachineTest, AModelThatBecomesReadyLaterIsAdvertisedAndGetsAWindow) {
    WorkerRim rim;
    rim.model(service(1));
    rim.join(0);
    EXPECT_EQ(sent<Advertise>(rim.model(service(2))).size(), 1U);
    ASSERT_EQ(rim.credits[0].windows.size(), 2U);
    EXPECT_GT(rim.credits[0].windows[1].request_count, 0U);
}

TEST(WorkerMachineTest, ASessionThatEndsAtOnceIsTriedLessAndLessOften) {
    WorkerRim rim;
    const auto wait_for_link = [&] {
        Duration waited{0};
        for (rim.lost(0); !rim.has_link(0); waited += 10ms) rim.advance(10ms);
        return waited;
    };
    rim.join(0);
    for (int i = 0; i < 3; ++i) {
        wait_for_link();
        rim.join(0);
    }
    EXPECT_GE(wait_for_link(), 200ms);
    rim.join(0);
    rim.advance(Timing{}.beat);  // it lives
    EXPECT_LE(wait_for_link(), 60ms);
}

TEST(WorkerMachineTest, ARunIsToldToHaveBegunUnlessItEndsBeforeAnythingIsSent) {
    WorkerRim rim;
    rim.model(service(1));
    ModelReady ready;
    ready.ad = service(2);
    ready.runs_inline = true;
    rim.step(ready);
    rim.join(0);
    EXPECT_EQ(sent<Started>(rim.call(0, 1)).size(), 1U);
    WorkerRim::CallOptions options;
    options.service = 2;
    EXPECT_TRUE(sent<Started>(rim.call(0, 2, options)).empty());
    EXPECT_EQ(rim.runs.size(), 2U);
}

TEST(WorkerMachineTest, WhatWaitsWhileTheDeviceIsBusySharesTheNextRun) {
    WorkerRim rim;
    rim.model(service(1, 4));
    rim.join(0);
    rim.call(0, 1);
    for (std::uint64_t i = 2; i <= 6; ++i) rim.call(0, i);
    const auto next = all_of<StartRun>(rim.finish(RunId{1}));
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next[0].calls.size(), 4U);
}

TEST(WorkerMachineTest, TheFaultThatTakesAServiceOutIsToldWhicheverCallItCameWith) {
    WorkerRim rim;
    rim.model(service(1, 8));
    rim.join(0);
    for (std::uint64_t i = 1; i <= 3; ++i) rim.call(0, i);
    rim.finish(RunId{1});
    ASSERT_EQ(rim.runs.at(RunId{2}).calls.size(), 2U);
    RunFinished finished;
    finished.run = RunId{2};
    finished.calls.resize(2);
    finished.calls[0].outcome = Outcome::retryable_fault;
    finished.calls[0].detail = "there is no memory for it";
    finished.calls[1].outcome = Outcome::device_fault;
    finished.calls[1].detail = "CUBLAS_STATUS_EXECUTION_FAILED";
    const auto notes = all_of<Note>(rim.step(finished));
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].text.find("CUBLAS_STATUS_EXECUTION_FAILED"), std::string::npos)
        << notes[0].text;
}

TEST(WorkerMachineTest, EveryRuleButNoneSharesRuns) {
    for (const BatchRule rule : {BatchRule::none, BatchRule::rows, BatchRule::pad_mask,
                                 BatchRule::graph, BatchRule::ragged}) {
        SCOPED_TRACE(to_string(rule));
        WorkerRim rim;
        ServiceAd ad = service(1, 8);
        ad.batch = rule;
        rim.model(ad);
        rim.join(0);
        for (std::uint64_t i = 1; i <= 3; ++i) rim.call(0, i);
        const auto next = all_of<StartRun>(rim.finish(RunId{1}));
        ASSERT_EQ(next.size(), 1U);
        EXPECT_EQ(next[0].calls.size(), rule == BatchRule::none ? 1U : 2U);
    }
}

TEST(WorkerMachineTest, WindowOfGraphsCountsCallsAndNotTheirNodes) {
    constexpr std::uint32_t run_rows = 32'768;
    HostedService graphs({[] {
                              ServiceAd ad = service(1, run_rows);
                              ad.batch = BatchRule::graph;
                              return ad;
                          }(),
                          {},
                          Duration{0}},
                         1, 1 << 30);
    const std::uint64_t at_first = graphs.capacity();
    EXPECT_LE(at_first, 64U);
    for (int i = 0; i < 100; ++i) graphs.count_rows(run_rows / 4, run_rows / 4);
    EXPECT_EQ(graphs.full_run_calls(), 4U);
    const std::uint64_t large = graphs.capacity();
    EXPECT_LT(large, at_first);
    for (int i = 0; i < 100; ++i) graphs.count_rows(run_rows / 32, run_rows / 32);
    EXPECT_EQ(graphs.capacity(), 8 * large);
}

/// CALL.rows of a graph are its nodes, the worker's are nodes and edges: a broker would take each
/// call for a fraction of what it costs.
TEST(WorkerMachineTest, BrokersCountGraphsAsCallsDo) {
    ServiceAd ad = service(1, 32'768);
    ad.batch = BatchRule::graph;
    HostedService graphs({ad, {}, Duration{0}}, 1, 1 << 30);
    for (int i = 0; i < 100; ++i) graphs.count_rows(4000, 1000);
    EXPECT_EQ(graphs.said_rows(8000), 2000U);
    for (int i = 0; i < 10; ++i) {
        const auto choice = graphs.sizes.choose(0, 1, 4000);
        graphs.sizes.observe(0, 1, 4000, 4ms, choice, false);
    }
    ASSERT_TRUE(graphs.take_over_curve());
    EXPECT_EQ(graphs.ad.cost, (std::vector<CostPoint>{{1000, 4'000'000}}));
}

TEST(WorkerMachineTest, TheAnswerTellsTheRunItWasPartOf) {
    WorkerRim rim;
    rim.model(service(1, 8));
    rim.join(0);
    rim.call(0, 1);
    rim.call(0, 2, with_rows(3));
    rim.call(0, 3, with_rows(2));
    rim.now += 7ms;
    rim.finish(RunId{1});
    const auto answers = sent<Answer>(rim.finish(RunId{2}));
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0].timings.run_rows, 5U);
    EXPECT_EQ(answers[0].timings.run_calls, 2U);
    EXPECT_EQ(answers[0].timings.queue_ns, 7'000'000U);
}

TEST(WorkerMachineTest, EachInstanceAndEachServiceRunsAtOnce) {
    WorkerRim rim;
    rim.model(service(1, 0, 2));
    rim.model(service(2));
    rim.join(0);
    rim.call(0, 1);
    rim.call(0, 2);
    WorkerRim::CallOptions other;
    other.service = 2;
    rim.call(0, 3, other);
    EXPECT_EQ(rim.runs.size(), 3U);
    EXPECT_TRUE(rim.problems.empty());
}

/// A device whose rows cost 1 ms each in runs of up to `most` rows, and 4 ms each in larger ones,
/// with 1 ms for the run; and a queue that is always full. Gives the rows of the last runs.
std::vector<std::uint32_t> load_fully(WorkerRim& rim, std::uint32_t most, int runs) {
    rim.slice_time = [most](std::uint32_t rows) {
        return 1ms + rows * (rows > most ? Duration{4ms} : Duration{1ms});
    };
    static std::uint64_t number = 1'000'000;
    std::vector<std::uint32_t> made;
    for (int i = 0; i < runs; ++i) {
        const auto window = rim.credits[0].windows.at(0).request_count;
        while (rim.machine.held_call_count() < window) rim.call(0, ++number);
        const auto [id, run] = *rim.runs.begin();
        made.push_back(static_cast<std::uint32_t>(run.calls.size()));
        rim.now += rim.slice_time(made.back());
        rim.finish(id);
        rim.beat(0);
    }
    return made;
}

TEST(WorkerMachineTest, RunsAreFormedAtTheKneeAndHardlyEverPastIt) {
    WorkerRim rim;
    rim.model(service(1, 64));
    rim.join(0);
    load_fully(rim, 16, 200);
    EXPECT_EQ(rim.machine.service(ServiceIndex{1})->full_run_rows(), 16U);
    const auto made = load_fully(rim, 16, 1000);
    EXPECT_LT(std::ranges::count_if(made, [](std::uint32_t rows) { return rows > 16; }), 20);
    EXPECT_GT(std::ranges::count(made, 16U), 900);
    EXPECT_TRUE(rim.problems.empty());
}

TEST(WorkerMachineTest, WhenACliffGoesLargerRunsComeBack) {
    WorkerRim rim;
    rim.model(service(1, 64));
    rim.join(0);
    load_fully(rim, 8, 200);
    ASSERT_EQ(rim.machine.service(ServiceIndex{1})->full_run_rows(), 8U);
    load_fully(rim, 64, 10'000);  // 64 rows are less than 3 % better than 32
    EXPECT_EQ(rim.machine.service(ServiceIndex{1})->full_run_rows(), 32U);
}

TEST(WorkerMachineTest, TheLimitOfTheConfigurationIsNeverPassed) {
    WorkerRim rim;
    rim.model(service(1, 64), {4, 12});
    rim.join(0);
    const auto made = load_fully(rim, 64, 300);
    EXPECT_EQ(*std::ranges::max_element(made), 12U);
}

ServiceAd sliceable(std::uint32_t max_rows) {
    ServiceAd ad = service(1, max_rows);
    ad.signature.outputs = {{"y", dtype::f32, {-1, 3}, false}};
    return ad;
}

TEST(WorkerMachineTest, ACallLargerThanTheKneeIsSliced) {
    WorkerRim rim;
    rim.model(sliceable(64));
    rim.join(0);
    load_fully(rim, 16, 300);
    while (!rim.runs.empty()) rim.finish(rim.runs.begin()->first);
    bool usual = false;
    for (int i = 0; i < 2; ++i) {  // one of two runs in a row is no trial
        rim.now += 1ms;
        rim.call(0, 2 + i, with_rows(50));
        const auto [id, run] = *rim.runs.begin();
        usual = usual || run.slices == std::vector<std::uint32_t>{13, 13, 12, 12};
        EXPECT_EQ(run.expires, rim.now + 60s);
        rim.finish(id);
    }
    EXPECT_TRUE(usual);
    EXPECT_TRUE(rim.problems.empty());
    EXPECT_EQ(rim.answers[0].back().timings.run_rows, 50U);
}

TEST(WorkerMachineTest, OutputsOfFreeShapeAreNotPutTogetherFromSlices) {
    WorkerRim rim;
    ServiceAd ad = sliceable(64);
    ad.signature.outputs[0].dims = {-1, -1};
    rim.model(ad);
    rim.join(0);
    load_fully(rim, 16, 300);
    while (!rim.runs.empty()) rim.finish(rim.runs.begin()->first);
    rim.call(0, 2, with_rows(50));
    EXPECT_TRUE(rim.runs.begin()->second.slices.empty());
}

TEST(WorkerMachineTest, TheLearnedCurveIsAdvertisedAtABeatAndNotAllTheTime) {
    WorkerRim rim;
    rim.model(service(1, 64));
    rim.join(0);
    const auto wait = [&](Duration time) {
        for (Duration passed{0}; passed < time; passed += 500ms) {
            rim.advance(500ms);
            rim.beat(0);
        }
    };
    rim.ads.clear();
    load_fully(rim, 16, 200);
    wait(10s);
    ASSERT_FALSE(rim.ads.empty());
    EXPECT_EQ(full_run_rows(rim.ads.back().cost, 64), 16U);
    EXPECT_TRUE(rim.lease_keys[0]);  // or leases that are out would be void
    rim.ads.clear();
    wait(60s);  // nothing new
    EXPECT_TRUE(rim.ads.empty());
    const TimePoint begin = rim.now;
    load_fully(rim, 4, 200);
    wait(10s);
    ASSERT_FALSE(rim.ads.empty());
    EXPECT_EQ(full_run_rows(rim.ads.back().cost, 64), 4U);
    EXPECT_LE(rim.ads.size(), static_cast<std::size_t>((rim.now - begin) / 5s + 1));
}

// Two instances on one core halve each other's speed, and that is no reason for smaller runs.
TEST(WorkerMachineTest, RunsThatShareTheDeviceAreComparedWithTheirLike) {
    WorkerRim rim;
    rim.model(service(1, 16, 2));
    rim.join(0);
    std::uint64_t number = 0;
    double slowdown = 1;
    rim.slice_time = [&](std::uint32_t rows) {
        return std::chrono::duration_cast<Duration>(slowdown * (1ms + rows * 1ms));
    };
    // Alone, with small runs.
    for (int i = 0; i < 100; ++i) {
        for (int rows = 0; rows < 1 + i % 3; ++rows) rim.call(0, ++number);
        while (!rim.runs.empty()) {
            const auto [id, run] = *rim.runs.begin();
            rim.now += 2ms;
            rim.finish(id);
        }
        rim.beat(0);
    }
    // Together, with full queues: at half of the speed.
    slowdown = 2;
    for (int i = 0; i < 600; ++i) {
        const auto window = rim.credits[0].windows.at(0).request_count;
        while (rim.machine.held_call_count() < window) rim.call(0, ++number);
        const auto [id, run] = *rim.runs.begin();
        rim.now += rim.slice_time(static_cast<std::uint32_t>(run.calls.size())) / 2;
        rim.finish(id);
        rim.beat(0);
    }
    EXPECT_EQ(rim.machine.service(ServiceIndex{1})->full_run_rows(), 16U);
}

TEST(WorkerMachineTest, ACallBeyondTheCreditIsRefused) {
    WorkerRim rim;
    rim.model(service(1));
    rim.join(0);
    const auto window = rim.credits[0].windows.at(0).request_count;
    for (std::uint64_t i = 1; i <= window; ++i) EXPECT_TRUE(sent<Answer>(rim.call(0, i)).empty());
    const auto answers = sent<Answer>(rim.call(0, window + 1));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].outcome, Outcome::not_started);
    EXPECT_EQ(answers[0].reason, Reason::overloaded);
}

TEST(WorkerMachineTest, BytesBeyondTheCreditAreRefusedEvenIfTheirSumOverflows) {
    WorkerRim rim(1, 10'000);
    rim.model(service(1));
    rim.join(0);
    WorkerRim::CallOptions options;
    options.input_bytes = 2;
    options.max_result_bytes = ~0ULL;
    const auto answers = sent<Answer>(rim.call(0, 1, options));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].reason, Reason::overloaded);
}

TEST(WorkerMachineTest, ALargerStreamThanTheCallSaysIsRefused) {
    WorkerRim rim;
    rim.model(service(1));
    rim.join(0);
    CallArrived arrived;
    arrived.link = rim.link(0);
    arrived.call.key = call_key(1);
    arrived.call.remaining_ms = 1000;
    arrived.call.input_bytes = 10;
    arrived.call.chunked = true;
    arrived.call.payload = rim.new_payload();
    arrived.service = ServiceIndex{1};
    arrived.large = {{0, 1ULL << 32}};
    const auto answers = sent<Answer>(rim.step(arrived));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].outcome, Outcome::input_error);
    EXPECT_TRUE(rim.live_payloads.empty());
}

TEST(WorkerMachineTest, StartedIsSaidBeforeTheRunStarts) {
    WorkerRim rim;
    rim.model(service(1));
    rim.join(0);
    const WorkerEffects& effects = rim.call(0, 1);
    const auto said = std::ranges::find_if(effects, [](const WorkerEffect& effect) {
        const auto* transmit = std::get_if<Transmit>(&effect);
        return transmit != nullptr && std::holds_alternative<Started>(transmit->message);
    });
    const auto started = std::ranges::find_if(effects, [](const WorkerEffect& effect) {
        return std::holds_alternative<StartRun>(effect);
    });
    EXPECT_LT(said, started);
}

TEST(WorkerMachineTest, WhatADeadLinkBringsIsDropped) {
    WorkerRim rim;
    rim.model(service(1));
    rim.join(0);
    const LinkId dead = rim.link(0);
    rim.lost(0);
    CallArrived arrived;
    arrived.link = dead;
    arrived.call.payload = rim.new_payload();
    rim.step(arrived);
    EXPECT_TRUE(sent<Answer>(rim.effects).empty());
    EXPECT_TRUE(rim.live_payloads.empty());
}

TEST(WorkerMachineTest, BeatsTellTheUseOfTheDevice) {
    WorkerRim rim;
    rim.model(service(1));
    rim.join(0);
    const DeviceUse use{80ULL << 30, 20ULL << 30, 73};
    rim.step(DeviceSeen{use});
    const auto beats = sent<Beat>(rim.advance(Timing{}.beat));
    ASSERT_EQ(beats.size(), 1U);
    EXPECT_EQ(beats[0].device, use);
}

TEST(WorkerMachineTest, ALostDeviceSendsWaitingCallsAwayAndLeaves) {
    WorkerRim rim;
    rim.model(service(1));
    rim.model(service(2));
    rim.join(0);
    rim.call(0, 1);
    rim.call(0, 2);
    WorkerRim::CallOptions large;
    large.service = 2;
    large.chunked = true;
    large.input_bytes = 1 << 20;
    rim.call(0, 3, large);
    ASSERT_EQ(rim.machine.held_call_count(), 3U);

    const auto away = sent<Answer>(rim.step(DeviceLost{"CUDA error: unspecified launch failure"}));
    ASSERT_EQ(away.size(), 2U);
    for (const Answer& answer : away) {
        EXPECT_EQ(answer.outcome, Outcome::not_started);
        EXPECT_EQ(answer.detail,
                  "worker w1 has lost its device: CUDA error: unspecified launch failure");
    }
    EXPECT_TRUE(rim.machine.draining());
    const WorkerEffects& after = rim.finish(RunId{1}, Outcome::device_fault);
    EXPECT_EQ(sent<Answer>(after).size(), 1U);
    EXPECT_TRUE(all_of<StartSelfTest>(after).empty());
    EXPECT_FALSE(rim.machine.finished());
    rim.beat(0);
    EXPECT_TRUE(rim.machine.finished());
    EXPECT_TRUE(rim.live_payloads.empty());
    EXPECT_EQ(rim.problems, std::vector<std::string>{});
}

}  // namespace
}  // namespace farm
