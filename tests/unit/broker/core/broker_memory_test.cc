// What a broker allocates and keeps: nothing for a small call, and nothing that grows.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "broker/core/broker_machine.h"
#include "tests/support/allocations.h"
#include "tests/unit/broker/core/broker_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t client = 100;
const Secret lease_key = Secret::from_words(5, 5);

/// A broker whose effects are thrown away, as a rim does that has carried them out.
class MemoryBench {
  public:
    void join(std::uint64_t link, Role role) {
        PeerAppeared appeared;
        appeared.link = LinkId{link};
        step(appeared);
        Hello hello;
        hello.role = role;
        hello.peer = PeerId::from_words(9, link);
        receive(link, std::move(hello));
    }
    void worker(std::uint64_t link, std::uint32_t window) {
        join(link, Role::worker);
        Advertise offers;
        for (std::uint16_t index = 1; index <= 2; ++index) {
            ServiceAd ad;
            ad.index = ServiceIndex{index};
            ad.model = model(index);
            ad.batch = BatchRule::rows;
            ad.max_batch_rows = 16;
            ad.max_result_bytes = 1000;
            ad.cost = {{1, 100'000}, {16, 300'000}};
            ad.direct_url = "tcp://worker" + std::to_string(link) + ":5700";
            offers.services.push_back(ad);
        }
        offers.lease_key = lease_key;
        receive(link, std::move(offers));
        credit(link, window);
    }
    void credit(std::uint64_t link, std::uint32_t window) {
        Credit credit;
        credit.sequence = ++credits_;
        credit.device_bytes = 1 << 24;
        credit.windows = {{ServiceIndex{1}, window}, {ServiceIndex{2}, window}};
        receive(link, std::move(credit));
    }
    void call(std::uint64_t link) {
        ++calls_;
        Call call = BrokerBench::make_call(calls_, model(1 + calls_ % 2));
        call.body_bytes = 80;
        receive(link, std::move(call));
    }
    void answer_oldest() {
        if (sent_.empty()) return;
        const auto [link, key] = sent_.front();
        sent_.pop_front();
        Answer answer;
        answer.key = key;
        answer.payload = PayloadId{++calls_};
        answer.timings.run_rows = 1;
        answer.timings.compute_ns = 100'000;
        receive(link.value, std::move(answer));
    }
    void receive(std::uint64_t link, Message message) {
        step(Received{LinkId{link}, std::move(message)});
    }
    void step(BrokerInput input) {
        effects_.clear();
        const std::uint64_t before = allocations().count;
        machine.step(std::move(input), now, effects_);
        in_steps += allocations().count - before;
        for (const BrokerEffect& effect : effects_) {
            const auto* transmit = std::get_if<Transmit>(&effect);
            if (transmit == nullptr) continue;
            if (const auto* call = std::get_if<Call>(&transmit->message)) {
                sent_.emplace_back(transmit->link, call->key);
            }
        }
    }
    std::size_t sent_count() const { return sent_.size(); }

    TimePoint now{1h};
    BrokerMachine machine{BrokerBench::defaults(), *make_scheduling_policy("least_finish", 1), now};
    std::uint64_t in_steps{0};  ///< allocations

  private:
    /// Longer than what a std::string keeps in itself.
    static std::string model(std::uint64_t number) {
        return "edge_classifier_of_stage_" + std::to_string(number);
    }

    BrokerEffects effects_;
    std::deque<std::pair<LinkId, CallKey>> sent_;
    std::uint64_t calls_{0};
    std::uint64_t credits_{0};
};

TEST(BrokerMemoryTest, ASmallCallAllocatesNothing) {
    MemoryBench bench;
    for (std::uint64_t link = 1; link <= 3; ++link) bench.worker(link, 64);
    bench.join(client, Role::client);
    const auto turn = [&] {
        bench.now += 10us;
        bench.call(client);
        if (bench.sent_count() > 32) bench.answer_oldest();
    };
    for (int i = 0; i < 2000; ++i) turn();
    bench.in_steps = 0;
    for (int i = 0; i < 2000; ++i) turn();
    EXPECT_EQ(bench.in_steps, 0U);
    EXPECT_EQ(bench.sent_count(), 32U);
}

TEST(BrokerMemoryTest, ACallThatWaitsInTheQueueAllocatesNothing) {
    MemoryBench bench;
    for (std::uint64_t link = 1; link <= 3; ++link) bench.worker(link, 2);
    bench.join(client, Role::client);
    const auto turn = [&] {
        bench.now += 10us;
        bench.call(client);
        bench.answer_oldest();
    };
    for (int i = 0; i < 100; ++i) bench.call(client);
    for (int i = 0; i < 2000; ++i) turn();
    bench.in_steps = 0;
    for (int i = 0; i < 2000; ++i) turn();
    EXPECT_EQ(bench.in_steps, 0U);
    EXPECT_GE(bench.machine.open_call_count(), 100U);
}

TEST(BrokerMemoryTest, ACallThatIsToldToRunManyTimesIsKeptOnce) {
    MemoryBench bench;
    bench.worker(1, 2);
    bench.join(client, Role::client);
    bench.call(client);
    const Started started{{BrokerBench::key(1)}};
    bench.receive(1, started);
    const std::int64_t before = allocations().live_bytes;
    for (int i = 0; i < 10'000; ++i) bench.receive(1, started);
    EXPECT_LE(allocations().live_bytes, before + 1024);
}

/// Clients that come, hold leases, renew them, call past them, and go.
TEST(BrokerMemoryTest, AnHourOfLeasesLeavesNothingBehind) {
    constexpr std::uint64_t clients_at_once = 8;
    MemoryBench bench;
    for (std::uint64_t link = 1; link <= 3; ++link) bench.worker(link, 64);
    const auto second = [&](std::uint64_t number) {
        for (std::uint64_t link = 1; link <= 3; ++link) {
            bench.receive(link, Beat{});
            bench.credit(link, 64);
        }
        const std::uint64_t newest = client + number / 10;  // one joins every ten seconds
        if (number % 10 == 0) bench.join(newest, Role::client);
        const std::uint64_t oldest = newest - std::min(newest - client, clients_at_once - 1);
        for (std::uint64_t link = oldest; link <= newest; ++link) {
            bench.receive(link, Beat{});
            bench.receive(link, Resolve{"edge_classifier_of_stage_1", 2, 100, 4, 0, {}});
            bench.call(link);
        }
        while (bench.sent_count() > 0) bench.answer_oldest();
        if (number % 10 == 9 && oldest > client) {
            if (number % 20 == 9) {
                bench.receive(oldest, Goodbye{});
            } else {
                bench.step(LinkLost{LinkId{oldest}});
            }
        }
        bench.now += 1s;
        bench.step(Tick{});
    };
    std::int64_t most_at_first = 0;
    for (std::uint64_t number = 0; number < 3600; ++number) {
        second(number);
        const std::int64_t live = allocations().live_bytes;
        if (number < 600) {
            most_at_first = std::max(most_at_first, live);
        } else {
            ASSERT_LE(live, most_at_first) << "after " << number << " s";
        }
    }
    EXPECT_LE(bench.machine.session_count(), 3 + clients_at_once + 1);
    EXPECT_EQ(bench.machine.open_call_count(), 0U);
}

}  // namespace
}  // namespace farm
