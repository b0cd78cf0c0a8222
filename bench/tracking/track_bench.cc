// Track building on 1 M edges: 200 000 points on tracks of 10, each joined with its neighbour on
// the track by a good edge, and random edges between points of tracks that are close by.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/global_control.h>

#include <numeric>
#include <random>
#include <vector>

#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"
#include "gpu_worker/tracking/walkthrough.h"

namespace farm::bench {
namespace {

using oneapi::tbb::global_control;
using tracking::ScoredEdges;

constexpr std::int32_t point_count = 200'000;
constexpr std::int32_t track_count = 20'000;  ///< point i lies on track i % track_count
constexpr std::size_t edge_count = 1'000'000;

ScoredEdges make_edges() {
    std::mt19937 engine(1);
    std::uniform_int_distribution<std::int32_t> point(0, point_count - 2 * track_count - 1);
    std::uniform_int_distribution<std::int32_t> step(-3, 3);
    std::uniform_real_distribution<float> score;
    ScoredEdges made;
    const auto add = [&](std::int32_t source, std::int32_t target, float value) {
        made.edges.source.push_back(source);
        made.edges.target.push_back(target);
        made.scores.push_back(value);
    };
    for (std::int32_t i = 0; i + track_count < point_count; ++i) {
        add(i + track_count, i, 0.5F + score(engine) / 2);
    }
    while (made.size() < edge_count) {
        const std::int32_t inner = point(engine);
        add(inner + track_count + step(engine), inner, score(engine) * score(engine) / 2);
    }
    return made;
}

const ScoredEdges& edges() {
    static const ScoredEdges made = make_edges();
    return made;
}

const std::vector<float>& distances() {
    static const std::vector<float> made = [] {
        std::vector<float> values(point_count);
        std::iota(values.begin(), values.end(), 0.0F);
        return values;
    }();
    return made;
}

void components_of_all_edges(benchmark::State& state) {
    const global_control threads(global_control::max_allowed_parallelism,
                                 static_cast<std::size_t>(state.range(0)));
    const auto& all = edges();
    for (auto _ : state) {
        benchmark::DoNotOptimize(tracking::connected_components(point_count, all.edges.view()));
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
    const auto& all = edges();
    for (auto _ : state) {
        const auto kept = tracking::edges_above(all.edges.view(), all.scores, 0.5F);
        benchmark::DoNotOptimize(tracking::connected_components(point_count, kept.edges.view()));
    }
}
BENCHMARK(components_of_edges_above_half)->Unit(benchmark::kMillisecond);

void walkthrough_of_all_edges(benchmark::State& state) {
    const global_control one(global_control::max_allowed_parallelism, 1);
    for (auto _ : state) {
        benchmark::DoNotOptimize(tracking::walkthrough(edges(), distances(), {}));
    }
}
BENCHMARK(walkthrough_of_all_edges)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace farm::bench
