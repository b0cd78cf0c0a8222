// The stages of track finding on a CUDA device, by its own clock: the inputs lie there, and so do
// the results. bench/tracking has the same of the processor.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "bench/tracking/embedding.h"
#include "bench/tracking/track_edges.h"
#include "gpu_worker/tracking/twin/components_twin.h"
#include "gpu_worker/tracking/twin/cuda_execution.cuh"
#include "gpu_worker/tracking/twin/radius_graph_twin.h"
#include "gpu_worker/tracking/twin/walkthrough_twin.h"

namespace farm::bench {
namespace {

using namespace tracking;
using twin::CudaExecution;
using twin::Index;

template <class Number>
CudaExecution::Array<Number> on_device(const CudaExecution& run, std::span<const Number> numbers) {
    auto made = run.array<Number>(numbers.size());
    run.upload(made, numbers.data(), numbers.size());
    return made;
}

/// Runs `step` once for each iteration; its time is that between two events on the stream.
template <class Step>
void measure(benchmark::State& state, const CudaExecution& run, const Step& step) {
    step();  // memory of the pool, and code of the device
    for (auto _ : state) {
        run.mark(0);
        step();
        run.mark(1);
        state.SetIterationTime(std::chrono::duration<double>(run.between(0, 1)).count());
    }
}

/// Points that a point is compared with, each pair counted once.
double candidates_of_a_point(CudaExecution& run, const twin::SortedPoints<CudaExecution>& sorted) {
    const std::size_t count = sorted.points.size();
    auto total = run.array<unsigned long long>(1);
    run.zero(total);
    unsigned long long* sum = total.data();
    const twin::PairSearch search{sorted.grid.data(),
                                  sorted.cell_begins.data(),
                                  sorted.cells.data(),
                                  sorted.points.data(),
                                  sorted.rows.data(),
                                  static_cast<int>(sorted.quads),
                                  3.4e38F};
    run.for_each(count, [=] __device__(Index position) {
        unsigned long long found = 0;
        search.earlier_neighbours<0>(
            position, [&](Index) { ++found; }, [] { return false; });
        atomicAdd(sum, found);
    });
    return static_cast<double>(run.read(total, 0)) / static_cast<double>(count);
}

void radius_graph_of_an_event(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const Embedding& event = embedding();
    const auto values = on_device<float>(run, event.values);
    const Index end = Embedding::point_count;
    const auto ends = on_device<Index>(run, {&end, 1});
    const twin::PointRows rows{values.data(), Embedding::point_count, Embedding::dimension_count};
    std::size_t edges = 0;
    measure(state, run, [&] {
        edges = twin::radius_graph(run, rows, ends, {.radius = Embedding::radius})->size();
    });
    state.counters["edges"] = static_cast<double>(edges);
    const auto sorted = twin::sort_points(run, rows, ends, Embedding::radius);
    state.counters["candidates_of_a_point"] = candidates_of_a_point(run, sorted);
}
BENCHMARK(radius_graph_of_an_event)->UseManualTime()->Unit(benchmark::kMicrosecond);

/// Edges, scores and distances of track_edges().
struct DeviceEdges {
    explicit DeviceEdges(CudaExecution& run)
        : ends{on_device<Index>(run, track_edges().edges.edges.source),
               on_device<Index>(run, track_edges().edges.edges.target)},
          scores(on_device<float>(run, track_edges().edges.scores)),
          distances(on_device<float>(run, track_edges().distances)) {}

    twin::EdgeArrays<CudaExecution> ends;
    CudaExecution::Array<float> scores;
    CudaExecution::Array<float> distances;
};

void components_of_all_edges(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const DeviceEdges edges(run);
    const twin::EdgesAbove all{edges.scores.data(), -1};
    measure(state, run,
            [&] { twin::component_roots(run, TrackEdges::point_count, edges.ends.list(), all); });
}
BENCHMARK(components_of_all_edges)->UseManualTime()->Unit(benchmark::kMicrosecond);

void walkthrough_of_all_edges(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const DeviceEdges edges(run);
    measure(state, run, [&] {
        twin::walkthrough(run, edges.distances.data(), TrackEdges::point_count, edges.ends.list(),
                          edges.scores.data(), {});
    });
}
BENCHMARK(walkthrough_of_all_edges)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace farm::bench
