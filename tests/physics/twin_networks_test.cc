// The committed networks through the CUDA twins: by the loop of the tests, which must give what the
// processor's stages give to the last bit, and on a device where there is one.
#include "gpu_worker/backends/torch_twin_networks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "cpu_client/events/generator.h"
#include "cpu_client/events/hit_features.h"
#include "gpu_worker/backends/torch_known_networks.h"
#include "gpu_worker/backends/torch_writes.h"
#include "gpu_worker/backends/track_finders.h"
#include "gpu_worker/repository/repository.h"
#include "gpu_worker/tracking/twin/edge_classifier_twin.h"
#include "gpu_worker/tracking/twin/edge_filter_twin.h"
#include "gpu_worker/tracking/twin/embedding_twin.h"
#include "gpu_worker/tracking/twin/twin_track_finder.h"
#include "schemas/tensor_values.h"
#include "tests/support/trackml_detector.h"
#include "tests/unit/gpu_worker/tracking/twin/shuffled_execution.h"

namespace farm {
namespace {

using tracking::FoundTracks;
using tracking::KeepEdges;
using tracking::twin::EdgeClassifier;
using tracking::twin::EdgeFilter;
using tracking::twin::EdgeList;
using tracking::twin::Embedding;
using tracking::twin::Index;
using tracking::twin::PointRows;
using tracking::twin::TwinEdgeScorer;
using tracking::twin::TwinNetworks;
using tracking::twin::TwinTrackFinder;
using tracking::twin::testing::ShuffledExecution;
using tracking::twin::testing::ThreadedExecution;

class TwinNetworksTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto entries = scan_repository("data/models");
        ASSERT_TRUE(entries) << entries.error().message;
        for (const RepositoryEntry& entry : *entries) {
            const auto* source = std::get_if<ModelSource>(&entry);
            if (source != nullptr && source->model == "tracks") source_ = *source;
        }
        const auto settings = read_tracks_settings(source_);
        ASSERT_TRUE(settings) << settings.error().message;
        settings_ = *settings;
        GeneratorOptions options;
        options.collision.pileup = 10;
        options.with_cells = false;
        const auto generator = EventGenerator::make(testing::trackml(), options);
        const auto event = generator->generate(7);
        ASSERT_TRUE(event) << event.error().message;
        const auto& scales = settings_.finder.scales;
        features_ = values_of<float>(
            hit_features("FEATURES", event->hits, {scales.r, scales.phi, scales.z}));
    }

    FoundTracks tracks_by(Result<std::unique_ptr<tracking::TrackFinder>> finder) const {
        EXPECT_TRUE(finder) << finder.error().message;
        auto found = (*finder)->find({features_, 3}, {}, KeepEdges::yes);
        EXPECT_TRUE(found) << found.error().message;
        return found ? std::move(*found) : FoundTracks{};
    }

    FoundTracks tracks_by_processor() const {
        const auto finders = load_track_finders(source_, settings_, *resolve_device("cpu"));
        EXPECT_TRUE(finders) << finders.error().message;
        return tracks_by((*finders)->make());
    }

    std::shared_ptr<const TorchProgram> program(const std::string& file) const {
        auto loaded = load_torch_program(network_source(source_, file), *resolve_device("cpu"));
        EXPECT_TRUE(loaded) << loaded.error().message;
        return std::make_shared<const TorchProgram>(std::move(*loaded));
    }

    TwinPrograms programs() const {
        return {program(settings_.embedding_file), program(settings_.filter_file),
                program(settings_.classifier_file)};
    }

    template <class Network, class Lanes>
    bool is_same(Network& file, Lanes& lanes) const {
        const auto same = gives_the_same(file, lanes, stream_);
        if (!same) throw std::runtime_error(same.error().message);
        return *same;
    }

    PointRows points() const { return {features_.data(), features_.size() / 3, 3}; }

    ModelSource source_;
    TracksSettings settings_;
    TorchStream stream_{c10::Device(c10::kCPU)};
    std::vector<float> features_;
};

TEST_F(TwinNetworksTest, ALoopOfLanesFindsTheTracksOfTheProcessor) {
    const FoundTracks found = tracks_by(std::make_unique<TwinTrackFinder<ShuffledExecution>>(
        settings_.finder, make_twin_networks(programs(), settings_.filter_input, stream_),
        ShuffledExecution(3)));
    const FoundTracks expected = tracks_by_processor();
    EXPECT_GT(expected.tracks.count, 100);
    EXPECT_TRUE(found.graph == expected.graph);
    EXPECT_TRUE(found.edges == expected.edges);
    EXPECT_TRUE(found.tracks == expected.tracks);
}

/// Of the first edges of the graph, by their file and by the lanes of a loop.
void expect_same_logits(tracking::twin::TwinEdgeScorer& file, tracking::twin::TwinEdgeScorer& lanes,
                        const PointRows& points, const tracking::Edges& graph, float tolerance) {
    for (const std::size_t count : {0U, 1U, 64U, 128U, 129U, 4001U}) {
        ASSERT_LE(count, graph.size());
        const EdgeList edges{graph.source.data(), graph.target.data(), count};
        const auto expected = file.score(points, edges);
        const auto seen = lanes.score(points, edges);
        ASSERT_TRUE(expected && seen);
        ASSERT_EQ(seen->size, count);
        for (std::size_t i = 0; i < count; ++i) {
            const float logit = expected->values[i];
            ASSERT_NEAR(seen->values[i], logit, tolerance * (1 + std::abs(logit))) << "edge " << i;
        }
    }
}

TEST_F(TwinNetworksTest, TheEmbeddingAsOneStepGivesTheRowsOfItsFile) {
    const auto weights = embedding_weights(settings_.embedding_file);
    ASSERT_NE(weights, nullptr);
    const auto networks = make_twin_networks(programs(), settings_.filter_input, stream_);
    Embedding<ShuffledExecution> embedding(*weights, ShuffledExecution(3));
    EXPECT_TRUE(is_same(*networks.embedder, embedding));
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{65}, points().size}) {
        const PointRows some{points().values, count, 3};
        const auto expected = networks.embedder->embed(some);
        const auto seen = embedding.embed(some);
        ASSERT_TRUE(expected && seen);
        ASSERT_EQ(seen->size, count);
        ASSERT_EQ(seen->dimension_count, expected->dimension_count);
        for (std::size_t i = 0; i < count * seen->dimension_count; ++i) {
            ASSERT_NEAR(seen->values[i], expected->values[i], 1e-4F) << "number " << i;
        }
    }
}

TEST_F(TwinNetworksTest, TheFilterAsOneStepGivesTheLogitsOfItsFile) {
    const auto weights = edge_filter_weights(settings_.filter_file);
    ASSERT_NE(weights, nullptr);
    const auto networks = make_twin_networks(programs(), settings_.filter_input, stream_);
    EdgeFilter<ShuffledExecution> filter(*weights, ShuffledExecution(5));
    EXPECT_TRUE(is_same(*networks.filter, filter));
    expect_same_logits(*networks.filter, filter, points(), tracks_by_processor().graph, 1e-4F);
}

TEST_F(TwinNetworksTest, TheClassifierInStepsGivesTheLogitsOfItsFile) {
    const auto weights = edge_classifier_weights(settings_.classifier_file);
    ASSERT_NE(weights, nullptr);
    const auto networks = make_twin_networks(programs(), settings_.filter_input, stream_);
    EdgeClassifier<ShuffledExecution> classifier(*weights, ShuffledExecution(7));
    EXPECT_TRUE(is_same(*networks.classifier, classifier));
    expect_same_logits(*networks.classifier, classifier, points(),
                       tracks_by_processor().edges.edges, 1e-4F);
}

/// Which end is the inner one then is for the order of the ends to say.
TEST_F(TwinNetworksTest, AnEdgeBetweenPointsAtOneDistanceGoesTheWayOfItsFile) {
    const auto networks = make_twin_networks(programs(), settings_.filter_input, stream_);
    EdgeFilter<ShuffledExecution> filter(*edge_filter_weights(settings_.filter_file),
                                         ShuffledExecution(5));
    EdgeClassifier<ShuffledExecution> classifier(
        *edge_classifier_weights(settings_.classifier_file), ShuffledExecution(7));
    const std::vector<float> mirrored{0.1F, 0.2F, 0.03F, 0.1F, 0.21F, -0.03F};
    const std::vector<Index> ends{0, 1, 0};  // there and back
    const PointRows two{mirrored.data(), 2, 3};
    const auto logit = [&](TwinEdgeScorer& network, int way) {
        return network.score(two, {ends.data() + way, ends.data() + way + 1, 1})->values[0];
    };
    for (const int way : {0, 1}) {
        EXPECT_NEAR(logit(filter, way), logit(*networks.filter, way), 1e-3F);
        EXPECT_NEAR(logit(classifier, way), logit(*networks.classifier, way), 1e-3F);
    }
    EXPECT_GT(std::abs(logit(filter, 0) - logit(filter, 1)), 0.01F);
    EXPECT_GT(std::abs(logit(classifier, 0) - logit(classifier, 1)), 0.01F);
}

TEST_F(TwinNetworksTest, FilesOfOtherNetworksHaveNoSuchWeights) {
    EXPECT_EQ(edge_filter_weights(settings_.classifier_file), nullptr);
    EXPECT_EQ(edge_filter_weights("data/models/tracks/config.pbtxt"), nullptr);
    EXPECT_EQ(edge_classifier_weights(settings_.filter_file), nullptr);
    EXPECT_EQ(embedding_weights(settings_.filter_file), nullptr);
}

TEST_F(TwinNetworksTest, NetworksWithOtherWeightsAreNotTheSame) {
    const auto networks = make_twin_networks(programs(), settings_.filter_input, stream_);
    auto row_weights = *embedding_weights(settings_.embedding_file);
    row_weights.harmonics[2] = 40;
    Embedding<ShuffledExecution> embedding(row_weights, ShuffledExecution(3));
    EXPECT_FALSE(is_same(*networks.embedder, embedding));
    auto filter_weights = *edge_filter_weights(settings_.filter_file);
    filter_weights.of_edge[6][3].values[1] += 0.3F;
    EdgeFilter<ShuffledExecution> filter(filter_weights, ShuffledExecution(5));
    EXPECT_FALSE(is_same(*networks.filter, filter));
    auto classifier_weights = *edge_classifier_weights(settings_.classifier_file);
    classifier_weights.interactions[4].of_point[40][5].values[2] += 0.3F;
    EdgeClassifier<ShuffledExecution> classifier(classifier_weights, ShuffledExecution(7));
    EXPECT_FALSE(is_same(*networks.classifier, classifier));
}

TEST_F(TwinNetworksTest, ANetworkThatWritesToItsInputGetsACopy) {
    TorchProgram doubling{*program(settings_.embedding_file)};
    doubling.module = torch::jit::Module("doubling");
    doubling.module.define("def forward(self, x: Tensor):\n    return x.mul_(2)\n");
    doubling.writes_to_inputs = writes_to_inputs(doubling.module);
    const TwinPrograms programs{std::make_shared<const TorchProgram>(std::move(doubling)),
                                program(settings_.filter_file), program(settings_.classifier_file)};
    const TorchStream stream(c10::Device(c10::kCPU));
    const auto networks = make_twin_networks(programs, settings_.filter_input, stream);
    const std::vector<float> points{1, 2, 3};
    const auto doubled = networks.embedder->embed({points.data(), 1, 3});
    ASSERT_TRUE(doubled) << doubled.error().message;
    EXPECT_EQ(doubled->values[2], 6);
    EXPECT_EQ(points, (std::vector<float>{1, 2, 3}));
}

using Scores = std::map<std::pair<Index, Index>, float>;

Scores scores_of(const tracking::ScoredEdges& edges) {
    Scores scores;
    for (std::size_t i = 0; i < edges.size(); ++i) {
        scores[{edges.edges.source[i], edges.edges.target[i]}] = edges.scores[i];
    }
    return scores;
}

/// Of each point the first one of its track; itself without one.
std::vector<std::size_t> first_of_tracks(const tracking::Tracks& tracks) {
    std::vector<std::size_t> firsts(tracks.labels.size());
    std::map<tracking::Label, std::size_t> first;
    for (std::size_t i = 0; i < firsts.size(); ++i) {
        const bool has_track = tracks.labels[i] != tracking::no_track;
        firsts[i] = has_track ? first.emplace(tracks.labels[i], i).first->second : i;
    }
    return firsts;
}

/// Numbers that differ in their last digits change a few edges next to radius and cuts.
void expect_nearly_the_same(const FoundTracks& found, const FoundTracks& expected) {
    const Scores seen = scores_of(found.edges);
    std::size_t missed = 0;
    for (const auto& [edge, score] : scores_of(expected.edges)) {
        const auto same = seen.find(edge);
        if (same == seen.end()) {
            ++missed;
        } else {
            EXPECT_NEAR(same->second, score, 2e-3F);
        }
    }
    EXPECT_LE(missed, expected.edges.size() / 1000);
    EXPECT_LE(seen.size(), expected.edges.size() + expected.edges.size() / 1000);
    const auto tracks = first_of_tracks(found.tracks);
    const auto expected_tracks = first_of_tracks(expected.tracks);
    std::size_t same = 0;
    for (std::size_t i = 0; i < tracks.size(); ++i) same += tracks[i] == expected_tracks[i] ? 1 : 0;
    EXPECT_GE(same, tracks.size() - tracks.size() / 200);
}

TEST_F(TwinNetworksTest, LanesWithKernelsForNetworksFindNearlyAllTracks) {
    const auto threads = [] { return ThreadedExecution(11); };
    TwinNetworks networks;
    networks.embedder = std::make_unique<Embedding<ThreadedExecution>>(
        *embedding_weights(settings_.embedding_file), threads());
    networks.filter = std::make_unique<EdgeFilter<ThreadedExecution>>(
        *edge_filter_weights(settings_.filter_file), threads());
    networks.classifier = std::make_unique<EdgeClassifier<ThreadedExecution>>(
        *edge_classifier_weights(settings_.classifier_file), threads());
    const FoundTracks found = tracks_by(std::make_unique<TwinTrackFinder<ThreadedExecution>>(
        settings_.finder, std::move(networks), threads()));
    expect_nearly_the_same(found, tracks_by_processor());
}

/// Sees whether libtorch may use TF32 while it is asked.
class Listener : public tracking::twin::TwinEmbedder {
  public:
    Result<tracking::twin::NetworkOutput> embed(const PointRows& features) override {
        is_tf32_allowed = at::globalContext().allowTF32CuBLAS();
        return tracking::twin::NetworkOutput{nullptr, features.values, features.size, 3};
    }
    bool is_tf32_allowed{true};
};

TEST_F(TwinNetworksTest, NetworksAreComparedInAllDigits) {
    at::Context& libtorch = at::globalContext();
    libtorch.setAllowTF32CuBLAS(false);
    if (libtorch.allowTF32CuBLAS()) GTEST_SKIP() << "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE is set";
    Listener one;
    Listener other;
    libtorch.setAllowTF32CuBLAS(true);
    EXPECT_TRUE(is_same(one, other));
    EXPECT_FALSE(one.is_tf32_allowed);
    EXPECT_TRUE(libtorch.allowTF32CuBLAS());
    libtorch.setAllowTF32CuBLAS(false);
}

TEST_F(TwinNetworksTest, ADeviceFindsNearlyAllTracksOfTheProcessor) {
    const auto device = resolve_device("cuda:0");
    if (!device) GTEST_SKIP() << device.error().message;
    const auto finders = load_cuda_track_finders(source_, settings_, *device);
    ASSERT_TRUE(finders) << finders.error().message;
    EXPECT_EQ((*finders)->kernels(), "embedding+filter+classifier");
    expect_nearly_the_same(tracks_by((*finders)->make()), tracks_by_processor());
}

}  // namespace
}  // namespace farm
