#include "gpu_worker/core/worker_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "schemas/cost_curve.h"
#include "tests/support/worker_rim.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

ServiceAd service(std::uint16_t index, std::uint32_t max_rows = 0, std::uint32_t instances = 1) {
    ServiceAd ad;
    ad.index = ServiceIndex{index};
    ad.model = "m" + std::to_string(index);
    ad.max_batch_rows = max_rows;
    ad.batch = max_rows == 0 ? BatchRule::none : BatchRule::rows;
    ad.instance_count = instances;
    ad.max_call_bytes = 1 << 20;
    return ad;
}

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

/// Everything that a rim and brokers may do, in any order. The rim's books must balance; in a
/// session that never broke each CALL has exactly one RESULT once all runs have ended; nothing
/// stays behind.
class WorkerStorm {
  public:
    explicit WorkerStorm(std::uint32_t seed)
        : random_(seed), rim_(1 + seed % 3, 64 << 20), loses_device_(seed % 4 == 0) {
        rim_.model(service(1, 4, 2), {2, 4}, seed % 2 == 0 ? 2ms : 0ms);
        rim_.model(service(2));
        ServiceAd once = service(3);
        once.idempotent = false;
        rim_.model(once);
    }

    void play() {
        for (int round = 0; round < 600; ++round) one_event();
        finish_all();
        check_answers();
        if (loses_device_) {
            for (int round = 0; round < 20; ++round) one_event();
            rim_.step(DeviceLost{"it fell off the bus"});
        }
        rim_.step(DrainRequested{});
        rim_.advance(1h);
        finish_all();
        rim_.advance(1h);
        EXPECT_TRUE(rim_.machine.finished());
        EXPECT_TRUE(rim_.live_payloads.empty());
        EXPECT_EQ(rim_.problems, std::vector<std::string>{});
    }

  private:
    std::uint32_t below(std::uint32_t bound) { return random_() % bound; }
    std::size_t some_broker() {
        return below(1 + static_cast<std::uint32_t>(rim_.answers.size() + 2)) % 3;
    }

    void one_event() {
        const std::size_t broker = some_broker();
        const bool linked = rim_.has_link(broker);
        switch (below(12)) {
            case 0: rim_.advance(below(300) * 1ms); return forget_closed();
            case 1:
                if (linked && below(8) == 0) {
                    rim_.lost(broker);
                    forget_closed();
                }
                return;
            case 2:
            case 3: return linked ? greet(broker) : void(rim_.advance(20ms));
            case 4:
                if (linked) rim_.beat(broker, {{ServiceIndex{1}, below(20)}});
                return;
            case 5:
                if (linked) rim_.receive(broker, Cancel{call_key(1 + below(20)).id});
                return;
            case 6:
                if (linked) rim_.receive(broker, Send{call_key(1 + below(20)), below(4) << 20});
                return;
            case 7:
                if (linked) {
                    rim_.receive(broker, Chunk{call_key(1 + below(20)), 0, below(3) << 20, 1 << 20,
                                               rim_.new_payload()});
                }
                return;
            case 8:
            case 9: return finish_some();
            default:
                if (linked && joined_.contains(broker)) call(broker);
        }
    }

    void greet(std::size_t broker) {
        if (joined_.contains(broker)) return;
        rim_.opened(broker);
        std::vector<CallKey> known;
        for (const Hello& hello : sent<Hello>(rim_.effects)) {
            for (const CallKey& key : hello.open) {
                if (below(2) == 0) known.push_back(key);
            }
        }
        rim_.welcome(broker, known, 1 + below(2));
        rim_.receive(broker, Attach{});
        joined_.insert(broker);
        rim_.answers[broker].clear();
        asked_[broker].clear();
        for (const CallKey& key : known) resumed_[broker].insert(key);
    }

    void call(std::size_t broker) {
        WorkerRim::CallOptions options;
        options.attempt = static_cast<std::uint8_t>(1 + below(2));
        options.service = static_cast<std::uint16_t>(1 + below(4));
        options.remaining_ms = below(10) == 0 ? 0 : below(2000);
        options.rows = 1 + below(4);
        options.shape_class = below(2);
        options.suspect = below(10) == 0;
        options.max_result_bytes = 1000 + (below(2) << 22);
        if (below(4) == 0) {
            options.chunked = true;
            options.input_bytes = (1 + below(2)) << 20;
        }
        const std::uint64_t number = 1 + below(20);
        const CallKey key = call_key(number, options.attempt);
        // A broker sends a call again only after its RESULT, and not one that it resumed.
        if (resumed_[broker].contains(key)) return;
        if (asked_[broker][key] > answered(broker, key)) return;
        ++asked_[broker][key];
        rim_.call(broker, number, options);
    }

    std::int64_t answered(std::size_t broker, const CallKey& key) {
        const auto& answers = rim_.answers[broker];
        return std::ranges::count_if(answers,
                                     [&](const Answer& answer) { return answer.key == key; });
    }

    void finish_some() {
        if (rim_.runs.empty()) return;
        const Outcome outcomes[] = {Outcome::ok, Outcome::ok, Outcome::ok, Outcome::input_error,
                                    Outcome::device_fault};
        const std::uint64_t bytes = below(3) == 0 ? 2 << 20 : 500;
        rim_.finish(rim_.runs.begin()->first, outcomes[below(5)], bytes);
        for (const auto& test : all_of<StartSelfTest>(rim_.effects)) {
            rim_.step(SelfTestFinished{test.service, below(2) == 0});
        }
    }

    void finish_all() {
        for (int i = 0; i < 2000 && rim_.machine.held_call_count() > 0; ++i) {
            while (!rim_.runs.empty()) finish_some();
            rim_.advance(100ms);
            forget_closed();
        }
        EXPECT_EQ(rim_.machine.held_call_count(), 0U);
    }

    void forget_closed() {
        std::erase_if(joined_, [&](std::size_t broker) {
            return !rim_.has_link(broker) || rim_.link(broker) != links_[broker];
        });
        for (std::size_t broker = 0; broker < 3; ++broker) {
            if (rim_.has_link(broker)) links_[broker] = rim_.link(broker);
        }
    }

    void check_answers() {
        for (const std::size_t broker : joined_) {
            for (const auto& [key, count] : asked_[broker]) {
                if (resumed_[broker].contains(key)) continue;
                EXPECT_EQ(answered(broker, key), count);
            }
        }
    }

    std::mt19937 random_;
    WorkerRim rim_;
    bool loses_device_;
    std::set<std::size_t> joined_;
    std::map<std::size_t, LinkId> links_;
    std::map<std::size_t, std::map<CallKey, std::int64_t>> asked_;
    std::map<std::size_t, std::set<CallKey>> resumed_;
};

TEST(WorkerMachineTest, SurvivesAnyOrderOfEvents) {
    for (std::uint32_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        WorkerStorm(seed).play();
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace farm
