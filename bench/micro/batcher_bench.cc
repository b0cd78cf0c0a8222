// The worker's batcher with 10 to 10 000 calls that wait.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "gpu_worker/core/batcher.h"

namespace farm::bench {
namespace {

const TimePoint start{std::chrono::hours(1)};

WaitingCall waiting_call(std::uint64_t number) {
    WaitingCall call;
    call.key = {CallId::from_words(number * 0x9e3779b97f4a7c15ULL, number), 1};
    call.bytes = 768;
    call.deadline = start + std::chrono::seconds(60) + std::chrono::microseconds(number);
    call.arrived = start + std::chrono::microseconds(number);
    return call;
}

Batcher batcher_with(std::int64_t waiting) {
    BatchLimits limits;
    limits.rule = BatchRule::rows;
    limits.max_rows = 64;
    Batcher batcher(limits);
    for (std::int64_t i = 0; i < waiting; ++i) {
        batcher.add(waiting_call(static_cast<std::uint64_t>(i)));
    }
    return batcher;
}

/// 64 calls come, the 64 oldest make a run; the number that waits stays the same.
void batcher_add_and_take(benchmark::State& state) {
    Batcher batcher = batcher_with(state.range(0));
    auto next = static_cast<std::uint64_t>(state.range(0));
    std::int64_t taken = 0;
    for (auto _ : state) {
        for (int i = 0; i < 64; ++i) batcher.add(waiting_call(next++));
        taken += static_cast<std::int64_t>(batcher.take(start).size());
    }
    state.SetItemsProcessed(taken);
}
BENCHMARK(batcher_add_and_take)->ArgName("waiting")->RangeMultiplier(10)->Range(10, 10'000);

/// What a loop asks before it sleeps.
void batcher_ready_at(benchmark::State& state) {
    const Batcher batcher = batcher_with(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(batcher.ready_at());
}
BENCHMARK(batcher_ready_at)->ArgName("waiting")->RangeMultiplier(10)->Range(10, 10'000);

}  // namespace
}  // namespace farm::bench
