// The pairs of graph_bench.cc by faiss (all distances, IndexFlatL2) and by a KD-tree (nanoflann).
// Both find each pair twice and every point itself; what they find is counted and not made edges.
#include <benchmark/benchmark.h>
#include <faiss/IndexFlat.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <omp.h>
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_reduce.h>

#include <functional>
#include <nanoflann.hpp>
#include <utility>
#include <vector>

#include "bench/tracking/embedding.h"

namespace farm::bench {
namespace {

using oneapi::tbb::global_control;

constexpr float square_radius = Embedding::radius * Embedding::radius;

double edges_of(std::size_t found_count) {
    return static_cast<double>(found_count - Embedding::point_count) / 2;
}

void radius_graph_faiss(benchmark::State& state) {
    omp_set_num_threads(static_cast<int>(state.range(0)));
    const Embedding& event = embedding();
    std::size_t found = 0;
    for (auto _ : state) {
        faiss::IndexFlatL2 index(Embedding::dimension_count);
        index.add(Embedding::point_count, event.values.data());
        faiss::RangeSearchResult result(Embedding::point_count);
        index.range_search(Embedding::point_count, event.values.data(), square_radius, &result);
        found = result.lims[Embedding::point_count];
    }
    state.counters["edges"] = edges_of(found);
}
BENCHMARK(radius_graph_faiss)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// What nanoflann asks of a set of points.
struct PointRows {
    const float* values;

    std::size_t kdtree_get_point_count() const { return Embedding::point_count; }
    float kdtree_get_pt(std::size_t point, std::size_t dimension) const {
        return values[point * Embedding::dimension_count + dimension];
    }
    template <class Box>
    bool kdtree_get_bbox(Box&) const {
        return false;
    }
};
using Tree =
    nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<float, PointRows>, PointRows,
                                        Embedding::dimension_count, std::uint32_t>;

std::size_t count_neighbours(const Tree& tree, const float* values) {
    const oneapi::tbb::blocked_range<std::size_t> range(0, Embedding::point_count);
    const nanoflann::SearchParams unsorted(0, 0.0F, false);
    const auto count = [&](const auto& part, std::size_t found) {
        std::vector<std::pair<std::uint32_t, float>> neighbours;
        for (std::size_t i = part.begin(); i < part.end(); ++i) {
            const float* point = values + i * Embedding::dimension_count;
            found += tree.radiusSearch(point, square_radius, neighbours, unsorted);
        }
        return found;
    };
    return oneapi::tbb::parallel_reduce(range, std::size_t{0}, count, std::plus<>());
}

void radius_graph_nanoflann(benchmark::State& state) {
    const global_control threads(global_control::max_allowed_parallelism,
                                 static_cast<std::size_t>(state.range(0)));
    const PointRows rows{embedding().values.data()};
    std::size_t found = 0;
    for (auto _ : state) {
        const Tree tree(Embedding::dimension_count, rows);
        found = count_neighbours(tree, rows.values);
    }
    state.counters["edges"] = edges_of(found);
}
BENCHMARK(radius_graph_nanoflann)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace farm::bench
