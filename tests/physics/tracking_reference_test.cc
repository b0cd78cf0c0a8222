// The stages of track reconstruction against the tensors of the reference service for in_e1000
// (see NOTICE).
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"
#include "gpu_worker/tracking/radius_graph.h"
#include "gpu_worker/tracking/walkthrough.h"
#include "tests/physics/reference_data.h"

namespace farm::tracking {
namespace {

using farm::testing::partition_of;
using farm::testing::point_count;
using farm::testing::read_flat;
using farm::testing::reference;

using Pair = std::pair<std::int32_t, std::int32_t>;

Edges reference_edges(const std::string& name) {
    const auto ends = read_flat<std::int32_t>(reference(name));
    const auto half = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 2);
    return {{ends.begin(), half}, {half, ends.end()}};
}

std::vector<float> probabilities(const std::string& name) {
    auto values = read_flat<float>(reference(name));
    for (float& value : values) value = 1 / (1 + std::exp(-value));
    return values;
}

std::map<Pair, std::size_t> by_pair(const Edges& edges) {
    std::map<Pair, std::size_t> places;
    for (std::size_t k = 0; k < edges.size(); ++k) {
        places.emplace(Pair(edges.source[k], edges.target[k]), k);
    }
    return places;
}

std::set<Pair> pairs_of(const Edges& edges) {
    std::set<Pair> pairs;
    for (const auto& [pair, place] : by_pair(edges)) pairs.insert(pair);
    return pairs;
}

ScoredEdges reference_scores() {
    return {reference_edges("applyfilter_output_EDGE_LIST_AFTER_FILTER"),
            probabilities("gnn_output_OUTPUT__0")};
}

Edges graph_of_embedding() {
    const auto embedding = read_flat<float>(reference("embed_output_OUTPUT__0"));
    const auto graph = radius_graph({embedding, 8}, {.radius = 1.6F});
    EXPECT_TRUE(graph) << graph.error().message;
    return graph ? *graph : Edges{};
}

TEST(TrackingReferenceTest, RadiusGraphHasTheReferenceEdges) {
    const Edges graph = graph_of_embedding();
    EXPECT_EQ(graph.size(), 2334U);
    EXPECT_EQ(pairs_of(graph), pairs_of(reference_edges("frnn_output_OUTPUT0")));
}

TEST(TrackingReferenceTest, FilterScoresJoinedByEdgeKeepTheReferenceEdges) {
    const Edges graph = graph_of_embedding();
    const auto places = by_pair(reference_edges("frnn_output_OUTPUT0"));
    const auto theirs = probabilities("filter_output_OUTPUT__0");
    std::vector<float> scores;
    for (std::size_t k = 0; k < graph.size(); ++k) {
        scores.push_back(theirs[places.at({graph.source[k], graph.target[k]})]);
    }
    const ScoredEdges kept = edges_above(graph.view(), scores, 0.21F);
    EXPECT_EQ(kept.size(), 584U);
    EXPECT_EQ(pairs_of(kept.edges),
              pairs_of(reference_edges("applyfilter_output_EDGE_LIST_AFTER_FILTER")));
}

TEST(TrackingReferenceTest, ComponentsAreTheReferencePartition) {
    const ScoredEdges scored = reference_scores();
    const auto labels = read_flat<Label>(reference("wcc_output_OUTPUT0"));
    ASSERT_EQ(labels.size(), point_count - 1);  // the file lacks the last point
    for (const float cut : {0.5F, 0.75F}) {
        const ScoredEdges kept = edges_above(scored.edges.view(), scored.scores, cut);
        auto tracks = connected_components(point_count, kept.edges.view());
        ASSERT_TRUE(tracks) << tracks.error().message;
        tracks->labels.pop_back();
        EXPECT_EQ(partition_of(tracks->labels), partition_of(labels)) << "cut " << cut;
        EXPECT_EQ(partition_of(labels).size(), 37U);
    }
}

/// r and z of in_e1000 are in units of 3000 and 400 mm.
std::vector<float> distances() {
    const auto features = read_flat<float>("data/events/in_e1000.csv");
    std::vector<float> squares;
    for (std::size_t i = 0; i < features.size(); i += 3) {
        squares.push_back(std::pow(3000 * features[i], 2.0F) +
                          std::pow(400 * features[i + 2], 2.0F));
    }
    return squares;
}

/// There is no truth: this pins how the two partitions differ. The walk cuts some of the components
/// of at least three points at a junction, and drops what is shorter.
TEST(TrackingReferenceTest, WalkthroughCutsComponents) {
    const ScoredEdges scored = reference_scores();
    const WalkthroughConfig config;
    const auto walked = walkthrough(scored, distances(), config);
    ASSERT_TRUE(walked) << walked.error().message;
    const ScoredEdges kept = edges_above(scored.edges.view(), scored.scores, config.component_cut);
    const auto components = connected_components(point_count, kept.edges.view());
    std::map<Label, Label> component_of;
    for (std::size_t i = 0; i < point_count; ++i) {
        if (walked->labels[i] == no_track) continue;
        const auto [place, added] = component_of.emplace(walked->labels[i], components->labels[i]);
        EXPECT_EQ(place->second, components->labels[i]) << "point " << i;
    }
    EXPECT_EQ(walked->count, 29);
    EXPECT_EQ(without_small_tracks(*components, config.minimum_hit_count).count, 23);
}

}  // namespace
}  // namespace farm::tracking
