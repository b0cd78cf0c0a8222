// The worker's machine in any order of events.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "gpu_worker/core/worker_machine.h"
#include "tests/support/worker_rim.h"
#include "tests/unit/gpu_worker/core/service_ad.h"

namespace farm {
namespace {

using namespace std::chrono_literals;
using testing::service;

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

TEST(WorkerStormTest, MachineSurvivesAnyOrderOfEvents) {
    for (std::uint32_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        WorkerStorm(seed).play();
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace farm
