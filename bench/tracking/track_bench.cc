// Track building on 1 M edges.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/global_control.h>

#include "bench/tracking/track_edges.h"
#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"
#include "gpu_worker/tracking/walkthrough.h"

namespace farm::bench {
namespace {

using oneapi::tbb::global_control;

void components_of_all_edges(benchmark::State& state) {
    const global_control threads(global_control::max_allowed_parallelism,
                                 static_cast<std::size_t>(state.range(0)));
    const auto& all = track_edges().edges;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            tracking::connected_components(TrackEdges::point_count, all.edges.view()));
    }
}
BENCHMARK(components_of_all_edges)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void components_of_edges_above_half(benchmark::State& state) {
    const global_control one(global_control::max_allowed_parallelism, 1);
    const auto& all = track_edges().edges;
    for (auto _ : state) {
        const auto kept = tracking::edges_above(all.edges.view(), all.scores, 0.5F);
        benchmark::DoNotOptimize(
            tracking::connected_components(TrackEdges::point_count, kept.edges.view()));
    }
}
BENCHMARK(components_of_edges_above_half)->Unit(benchmark::kMillisecond);

void walkthrough_of_all_edges(benchmark::State& state) {
    const global_control one(global_control::max_allowed_parallelism, 1);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            tracking::walkthrough(track_edges().edges, track_edges().distances, {}));
    }
}
BENCHMARK(walkthrough_of_all_edges)->Unit(benchmark::kMillisecond);

void walkthrough_of_learned_scores(benchmark::State& state) {
    const global_control one(global_control::max_allowed_parallelism, 1);
    const tracking::ScoredEdges learned{track_edges().edges.edges, track_edges().learned_scores};
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            tracking::walkthrough(learned, track_edges().distances, TrackEdges::learned_config));
    }
}
BENCHMARK(walkthrough_of_learned_scores)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace farm::bench
