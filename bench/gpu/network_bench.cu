// The networks of track finding on a CUDA device, with any weights: their time does not depend on
// them. The products alone are counted, a multiply-add as two.
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "bench/gpu/device_timing.cuh"
#include "bench/tracking/track_edges.h"
#include "gpu_worker/tracking/twin/edge_classifier_twin.h"
#include "gpu_worker/tracking/twin/edge_filter_twin.h"
#include "gpu_worker/tracking/twin/embedding_twin.h"

namespace farm::bench {
namespace {

/// Of nothing but numbers.
template <class Weights>
std::unique_ptr<Weights> any_weights() {
    std::vector<float> numbers(sizeof(Weights) / sizeof(float));
    std::mt19937 engine(1);
    std::normal_distribution<float> number(0, 0.1F);
    for (float& each : numbers) each = number(engine);
    auto weights = std::make_unique<Weights>();
    std::memcpy(weights.get(), numbers.data(), sizeof(Weights));
    return weights;
}

/// The points of track_edges(), on tracks that leave the origin: r and z in m, phi in half turns.
std::vector<float> space_points() {
    std::vector<float> rows;
    for (int point = 0; point < TrackEdges::point_count; ++point) {
        const int track = point % TrackEdges::track_count;
        const float share = static_cast<float>(track) / TrackEdges::track_count;
        const float r = 0.03F + 0.1F * static_cast<float>(point / TrackEdges::track_count);
        const float slope = static_cast<float>(track % 101 - 50) / 20;
        rows.insert(rows.end(), {r, 2 * share - 1, r * slope});
    }
    return rows;
}

/// Edges and points of track_edges() on the device.
struct DeviceGraph {
    explicit DeviceGraph(CudaExecution& run)
        : values(twin::uploaded<CudaExecution, float>(run, space_points())),
          ends{twin::uploaded<CudaExecution, Index>(run, track_edges().edges.edges.source),
               twin::uploaded<CudaExecution, Index>(run, track_edges().edges.edges.target)} {}
    twin::PointRows points() const { return {values.data(), TrackEdges::point_count, 3}; }

    CudaExecution::Array<float> values;
    twin::EdgeArrays<CudaExecution> ends;
};

constexpr double square(int width) { return static_cast<double>(width) * width; }

double embedding_flop() {
    using Weights = twin::EmbeddingWeights;
    const double products = Weights::feature_count * Weights::width + 2 * square(Weights::width) +
                            Weights::width * Weights::output_count;
    return 2 * products * TrackEdges::point_count;
}

double filter_flop() {
    using Weights = twin::EdgeFilterWeights;
    const double of_edge =
        twin::edge_feature_count * Weights::width + 2 * square(Weights::width) + Weights::width;
    const double of_point = 2.0 * twin::point_feature_count * Weights::width;
    return 2 * (of_edge * TrackEdges::edge_count + of_point * TrackEdges::point_count);
}

/// The last interaction has no messages.
double classifier_flop() {
    using Weights = twin::EdgeClassifierWeights;
    constexpr int interactions = Weights::interaction_count;
    const double layer = square(Weights::width);
    const double of_edge = twin::edge_feature_count * Weights::width + layer +
                           interactions * 2 * layer +
                           (interactions - 1) * (layer + Weights::width) + layer + Weights::width;
    const double of_point = twin::point_feature_count * Weights::width + layer +
                            interactions * 2 * layer + (interactions - 1) * 4 * layer;
    return 2 * (of_edge * TrackEdges::edge_count + of_point * TrackEdges::point_count);
}

/// What is known of an edge is read in each interaction, and written but in the last; so are
/// messages, which both ends read. What points tell may come from the cache.
double fewest_classifier_bytes() {
    using Weights = twin::EdgeClassifierWeights;
    constexpr int interactions = Weights::interaction_count;
    const double row = Weights::width * sizeof(float);
    return row * (2 * interactions + 3 * (interactions - 1)) * TrackEdges::edge_count;
}

/// `call(network, graph)` is what takes so many FLOP.
template <class Network, class Weights, class Call>
void measure_network(benchmark::State& state, double flop, const Call& call) {
    CudaExecution run(cudaStreamPerThread);
    const DeviceGraph graph(run);
    Network network(*any_weights<Weights>(), CudaExecution(cudaStreamPerThread));
    measure(state, run, [&] { return call(network, graph); });
    state.counters["share_of_flop"] = share(flop, device_limits().flop_per_s);
}

constexpr auto score_edges = [](auto& network, const DeviceGraph& graph) {
    return network.score(graph.points(), graph.ends.list());
};

void embedding_of_points(benchmark::State& state) {
    measure_network<twin::Embedding<CudaExecution>, twin::EmbeddingWeights>(
        state, embedding_flop(),
        [](auto& network, const DeviceGraph& graph) { return network.embed(graph.points()); });
}
BENCHMARK(embedding_of_points)->UseManualTime()->Unit(benchmark::kMicrosecond);

void filter_of_edges(benchmark::State& state) {
    measure_network<twin::EdgeFilter<CudaExecution>, twin::EdgeFilterWeights>(state, filter_flop(),
                                                                              score_edges);
}
BENCHMARK(filter_of_edges)->UseManualTime()->Unit(benchmark::kMicrosecond);

void classifier_of_edges(benchmark::State& state) {
    measure_network<twin::EdgeClassifier<CudaExecution>, twin::EdgeClassifierWeights>(
        state, classifier_flop(), score_edges);
    state.counters["share_of_bytes"] =
        share(fewest_classifier_bytes(), device_limits().bytes_per_s);
}
BENCHMARK(classifier_of_edges)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace farm::bench
