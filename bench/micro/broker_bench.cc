// The whole BrokerMachine at 10 to 10 000 workers: what a message costs it, and what it remembers.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "bench/micro/broker_farm.h"

namespace farm::bench {
namespace {

constexpr std::size_t model_count = 1000;

/// Farms take seconds to build: one of each size, warmed up until every rate has been measured.
BrokerFarm& farm_of(std::size_t workers, std::size_t models = model_count) {
    static std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<BrokerFarm>> farms;
    auto& farm = farms[{workers, models}];
    if (!farm) {
        farm = std::make_unique<BrokerFarm>(workers, models);
        for (std::size_t i = 0; i < 20 * workers; ++i) farm->call_and_answer(workers);
    }
    return *farm;
}

/// CALL in, CALL out, RESULT in, RESULT out: two steps of the machine.
void broker_call(benchmark::State& state) {
    const auto workers = static_cast<std::size_t>(state.range(0));
    BrokerFarm& farm = farm_of(workers, static_cast<std::size_t>(state.range(1)));
    for (auto _ : state) farm.call_and_answer(workers);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(broker_call)
    ->ArgNames({"workers", "models"})
    ->ArgsProduct({{10, 100, 1000, 10'000}, {model_count}})
    ->ArgsProduct({{10, 100, 1000, 10'000}, {4}});

void broker_beat(benchmark::State& state) {
    BrokerFarm& farm = farm_of(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) farm.beat();
}
BENCHMARK(broker_beat)->ArgName("workers")->Arg(10)->Arg(10'000);

/// A worker takes its services back and offers them again.
void registry_advertise(benchmark::State& state) {
    const auto workers = static_cast<std::size_t>(state.range(0));
    BrokerFarm& farm = farm_of(workers, static_cast<std::size_t>(state.range(1)));
    for (auto _ : state) {
        farm.withdraw(workers / 2);
        farm.advertise_again(workers / 2);
    }
    state.SetItemsProcessed(state.iterations() * BrokerFarm::services_per_worker);
}
BENCHMARK(registry_advertise)
    ->ArgNames({"workers", "models"})
    ->ArgsProduct({{10, 10'000}, {model_count}})
    ->Args({10'000, 4});

/// Heap that a broker takes for a farm, per service of a worker; its calls not included.
void registry_memory(benchmark::State& state) {
    const auto workers = static_cast<std::size_t>(state.range(0));
    double bytes = 0;
    for (auto _ : state) {
        const std::size_t before = mallinfo2().uordblks;
        const BrokerFarm farm(workers, model_count);
        bytes = static_cast<double>(mallinfo2().uordblks - before);
    }
    state.counters["bytes_per_entry"] =
        bytes / static_cast<double>(workers * BrokerFarm::services_per_worker);
}
BENCHMARK(registry_memory)->ArgName("workers")->Arg(10'000)->Iterations(1);

}  // namespace
}  // namespace farm::bench
