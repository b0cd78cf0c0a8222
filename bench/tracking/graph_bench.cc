// The radius graph of a full event's embedding; peer_search_bench.cc has the same of others.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/global_control.h>

#include "bench/tracking/embedding.h"
#include "gpu_worker/tracking/radius_graph.h"

namespace farm::bench {
namespace {

using oneapi::tbb::global_control;

void radius_graph_ours(benchmark::State& state) {
    const global_control threads(global_control::max_allowed_parallelism,
                                 static_cast<std::size_t>(state.range(0)));
    const Embedding& event = embedding();
    std::size_t edges = 0;
    for (auto _ : state) {
        edges = tracking::radius_graph(event.points(), {.radius = Embedding::radius})->size();
    }
    state.counters["edges"] = static_cast<double>(edges);
}
BENCHMARK(radius_graph_ours)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace farm::bench
