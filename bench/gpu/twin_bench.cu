// The graph stages of track finding on a CUDA device. bench/tracking has the same of the processor.
#include "bench/gpu/device_timing.cuh"
#include "bench/tracking/embedding.h"
#include "bench/tracking/track_edges.h"
#include "gpu_worker/tracking/twin/components_twin.h"
#include "gpu_worker/tracking/twin/radius_graph_twin.h"
#include "gpu_worker/tracking/twin/walkthrough_twin.h"

namespace farm::bench {
namespace {

using namespace tracking;

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
        for (Index column = 0; column < twin::PairSearch::column_count; ++column) {
            search.earlier_neighbours<0>(position, column, [&](Index) { ++found; });
        }
        atomicAdd(sum, found);
    });
    return static_cast<double>(twin::read_number(run, total, 0)) / static_cast<double>(count);
}

void radius_graph_of_an_event(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const Embedding& event = embedding();
    const auto values = twin::uploaded<CudaExecution, float>(run, event.values);
    const Index end = Embedding::point_count;
    const auto ends = twin::uploaded<CudaExecution, Index>(run, {&end, 1});
    const twin::PointRows rows{values.data(), Embedding::point_count, Embedding::dimension_count};
    std::size_t edges = 0;
    measure(state, run, [&] {
        edges = twin::radius_graph(run, rows, ends, {.radius = Embedding::radius})->size();
    });
    state.counters["edges"] = static_cast<double>(edges);
    const auto sorted = twin::sort_points(run, rows, ends, Embedding::radius);
    const double candidates = candidates_of_a_point(run, sorted);
    state.counters["candidates_of_a_point"] = candidates;
    // A subtraction and a multiply-add for each dimension; each pair is looked at twice. At most:
    // the sum of a pair that is far apart ends early.
    constexpr double flop = 2 * 3 * Embedding::dimension_count;
    state.counters["most_share_of_flop"] =
        share(flop * candidates * Embedding::point_count, device_limits().flop_per_s);
}
BENCHMARK(radius_graph_of_an_event)->UseManualTime()->Unit(benchmark::kMicrosecond);

/// Edges, scores and distances of track_edges().
struct DeviceEdges {
    explicit DeviceEdges(CudaExecution& run)
        : ends{twin::uploaded<CudaExecution, Index>(run, track_edges().edges.edges.source),
               twin::uploaded<CudaExecution, Index>(run, track_edges().edges.edges.target)},
          scores(twin::uploaded<CudaExecution, float>(run, track_edges().edges.scores)),
          learned_scores(twin::uploaded<CudaExecution, float>(run, track_edges().learned_scores)),
          distances(twin::uploaded<CudaExecution, float>(run, track_edges().distances)) {}

    twin::EdgeArrays<CudaExecution> ends;
    CudaExecution::Array<float> scores;
    CudaExecution::Array<float> learned_scores;
    CudaExecution::Array<float> distances;
};

/// Each edge is read once at least, and each point's root written.
double fewest_bytes(std::size_t edge_count) {
    return sizeof(Index) * (2.0 * static_cast<double>(edge_count) + TrackEdges::point_count);
}

void components_of_all_edges(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const DeviceEdges edges(run);
    const twin::EdgesAbove all{edges.scores.data(), -1};
    measure(state, run,
            [&] { twin::component_roots(run, TrackEdges::point_count, edges.ends.list(), all); });
    state.counters["share_of_bytes"] =
        share(fewest_bytes(edges.ends.size()), device_limits().bytes_per_s);
}
BENCHMARK(components_of_all_edges)->UseManualTime()->Unit(benchmark::kMicrosecond);

/// Says whether the device gave it up, and left it to the processor.
void measure_walk(benchmark::State& state, CudaExecution& run, const DeviceEdges& edges,
                  const CudaExecution::Array<float>& scores, const WalkthroughConfig& config) {
    const auto walk = [&] {
        return twin::walkthrough(run, edges.distances.data(), TrackEdges::point_count,
                                 edges.ends.list(), scores.data(), config);
    };
    measure(state, run, walk);
    const auto last = walk();
    state.counters["is_given_up"] = twin::read_number(run, last.is_given_up, 0);
}

void walkthrough_of_all_edges(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const DeviceEdges edges(run);
    measure_walk(state, run, edges, edges.scores, {});
}
BENCHMARK(walkthrough_of_all_edges)->UseManualTime()->Unit(benchmark::kMicrosecond);

void walkthrough_of_learned_scores(benchmark::State& state) {
    CudaExecution run(cudaStreamPerThread);
    const DeviceEdges edges(run);
    measure_walk(state, run, edges, edges.learned_scores, TrackEdges::learned_config);
    state.counters["share_of_bytes"] =
        share(fewest_bytes(edges.ends.size()), device_limits().bytes_per_s);
}
BENCHMARK(walkthrough_of_learned_scores)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace farm::bench
