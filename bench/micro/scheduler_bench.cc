// The scheduling decision alone: the queue, the offer tables and the policy with the workers that
// feed them, without sessions, messages and clients. Whole messages are broker_bench.cc.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/broker_farm.h"
#include "broker/core/scheduling_policy.h"
#include "broker/core/session.h"
#include "broker/core/shared_ads.h"
#include "broker/core/worker.h"

namespace farm::bench {
namespace {

constexpr std::size_t model_count = 1000;
constexpr std::size_t services_per_worker = BrokerFarm::services_per_worker;

struct Placed {
    Offer offer;
    CallKey key;
    std::uint32_t rows{1};
};

class Schedule {
  public:
    Schedule(std::size_t workers, std::size_t models)
        : services_(std::min(models, workers * services_per_worker)) {
        std::vector<std::size_t> deal(workers * services_per_worker);
        for (std::size_t i = 0; i < deal.size(); ++i) deal[i] = i % services_.size();
        std::ranges::shuffle(deal, random_);
        for (std::size_t worker = 0; worker < workers; ++worker) {
            Session& session = *sessions_.emplace_back(std::make_unique<Session>());
            session.id = SessionId{1 + worker};
            session.worker = std::make_unique<Worker>(loads_);
            session.worker->open = true;
            session.worker->window_bytes = 1ULL << 30;
            for (std::size_t i = 0; i < services_per_worker; ++i) {
                offer(session, i, deal[worker * services_per_worker + i], speed_of(worker));
            }
        }
    }

    /// A call waits in the queue of a service, is the head, gets the worker that finishes it first.
    /// Nothing when none has room.
    std::optional<Placed> place_queued() {
        Service& service = random_service();
        const CallKey key = next_key();
        const auto rows = static_cast<std::uint32_t>(1 + random_() % 32);
        service.queue.push(
            {key.id, 100, now_ + std::chrono::seconds(60), now_, std::chrono::milliseconds(1), 802},
            "default");
        const QueuedCall* head = service.queue.head();
        benchmark::DoNotOptimize(head);
        auto placed = choose(service, key, rows);
        if (placed) {
            service.queue.pop_head();
            charge(*placed);
        } else {
            service.queue.remove(key.id);
        }
        return placed;
    }
    /// The same for a call that finds the queue empty.
    std::optional<Placed> place() {
        auto placed =
            choose(random_service(), next_key(), static_cast<std::uint32_t>(1 + random_() % 32));
        if (placed) charge(*placed);
        return placed;
    }
    void complete(const Placed& placed) {
        Worker& worker = *placed.offer.owner->worker;
        WorkerService& service = *worker.release(placed.key);
        service.rate.observe(
            placed.rows, static_cast<std::uint64_t>(service.rate.expected(placed.rows).count()));
        service.last_measured = now_;
        worker.service_changed(service, now_);
    }

    std::optional<Placed> choose(Service& service, CallKey key, std::uint32_t rows) {
        OfferTable& table = service.offers;
        const Demand demand{rows, 768, 0, false};
        table.prepare(rows, now_);
        const auto at = policy_->pick(table, demand);
        if (!at) return std::nullopt;
        return Placed{table[*at], key, rows};
    }
    Service& random_service() { return services_[random_() % services_.size()]; }
    CallKey next_key() { return {CallId::from_words(random_(), ++calls_), 1}; }
    std::mt19937_64& random() { return random_; }

    /// What one more call would finish at, from the worker itself.
    static double finish(const Offer& offer, std::uint32_t rows) {
        if (offer.service->room() == 0) return 1e30;
        const Worker& worker = *offer.owner->worker;
        Duration total = worker.foreign_backlog;
        for (const auto& each : worker.services) {
            total += each->backlog(each.get() == offer.service ? rows : 0);
        }
        return static_cast<double>(total.count());
    }

  private:
    void offer(Session& session, std::size_t i, std::size_t model, double speed) {
        const ServiceAd ad = usual_ad(model, static_cast<std::uint16_t>(i + 1), speed);
        WorkerService& service = session.worker->add(ad.index);
        service.ad = ads_.share(ad);
        service.rate = RateEstimate(ad.cost);
        // Measured: as fast as advertised, give or take a fifth.
        const double luck = 0.8 + 0.4 * static_cast<double>(random_() % 1000) / 1000;
        service.rate.observe(16, static_cast<std::uint64_t>(luck * (200e3 + 20e3 * 16) / speed));
        service.window_count = 64;
        service.last_measured = now_;
        service.by_version = &services_[model];
        service.by_version->offers.add({&session, &service}, now_);
        session.worker->service_changed(service, now_);
    }
    void charge(const Placed& placed) {
        Worker& worker = *placed.offer.owner->worker;
        worker.charge(*placed.offer.service, placed.key, placed.rows, 768 + 4096);
        worker.service_changed(*placed.offer.service, now_);
    }

    TimePoint now_{std::chrono::hours(1)};
    std::mt19937_64 random_{1};
    std::unique_ptr<SchedulingPolicy> policy_{*make_scheduling_policy("least_finish", 1)};
    SharedAds ads_;
    std::vector<Service> services_;
    WorkerLoads loads_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::uint64_t calls_{0};
};

/// One schedule of each size, with as many calls under way as there are workers.
struct Loaded {
    Schedule schedule;
    std::deque<Placed> under_way;

    Loaded(std::size_t workers, std::size_t models) : schedule(workers, models) {
        for (std::size_t i = 0; i < workers; ++i) under_way.push_back(*schedule.place());
        for (std::size_t i = 0; i < 20 * workers; ++i) turn_over(schedule.place());
    }
    void turn_over(std::optional<Placed> placed) {
        if (placed) under_way.push_back(*placed);
        schedule.complete(under_way.front());
        under_way.pop_front();
    }
};

Loaded& loaded(benchmark::State& state) {
    static std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<Loaded>> all;
    auto& one = all[{state.range(0), state.range(1)}];
    if (!one) {
        one = std::make_unique<Loaded>(static_cast<std::size_t>(state.range(0)),
                                       static_cast<std::size_t>(state.range(1)));
    }
    return *one;
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->ArgNames({"workers", "models"})
        ->ArgsProduct({{10, 100, 1000, 10'000}, {model_count}})
        ->ArgsProduct({{10, 100, 1000, 10'000}, {4}});
}

/// Enqueue, pick and completion of one call.
void scheduler_queued_call(benchmark::State& state) {
    Loaded& farm = loaded(state);
    for (auto _ : state) farm.turn_over(farm.schedule.place_queued());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(scheduler_queued_call)->Apply(sizes);

/// The same when the queue is empty and the call goes straight to its worker.
void scheduler_call(benchmark::State& state) {
    Loaded& farm = loaded(state);
    for (auto _ : state) farm.turn_over(farm.schedule.place());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(scheduler_call)->Apply(sizes);

void scheduler_pick(benchmark::State& state) {
    Schedule& schedule = loaded(state).schedule;
    for (auto _ : state) {
        const auto rows = static_cast<std::uint32_t>(1 + schedule.random()() % 32);
        benchmark::DoNotOptimize(schedule.choose(schedule.random_service(), {}, rows));
    }
}
BENCHMARK(scheduler_pick)->Apply(sizes);

/// Finish time of the pick over that of the best, found by looking at every worker of the service:
/// 1 is exact. Not a timing.
void scheduler_quality(benchmark::State& state) {
    Loaded& farm = loaded(state);
    std::vector<double> ratios;
    for (auto _ : state) {
        Service& service = farm.schedule.random_service();
        const auto rows = static_cast<std::uint32_t>(1 + farm.schedule.random()() % 32);
        const auto placed = farm.schedule.choose(service, farm.schedule.next_key(), rows);
        double best = 1e30;
        for (const Offer& offer : service.offers.offers()) {
            best = std::min(best, Schedule::finish(offer, rows));
        }
        ratios.push_back(Schedule::finish(placed->offer, rows) / best);
        farm.turn_over(farm.schedule.place());
    }
    std::ranges::sort(ratios);
    double sum = 0;
    for (const double ratio : ratios) sum += ratio;
    state.counters["mean_over_best"] = sum / static_cast<double>(ratios.size());
    state.counters["p99_over_best"] = ratios[ratios.size() * 99 / 100];
    state.counters["worst_over_best"] = ratios.back();
}
BENCHMARK(scheduler_quality)->Apply(sizes)->Iterations(500);

}  // namespace
}  // namespace farm::bench
