// The Exa.TrkX edge classifier as a network of track finding, from the reference's embedding to its
// partition. The tolerance of 1e-3 is that of the reference: it ran on a GPU.
#include "gpu_worker/backends/track_networks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "gpu_worker/tracking/track_finder.h"
#include "tests/physics/reference_data.h"

namespace farm {
namespace {

using testing::partition_of;
using testing::point_count;
using testing::read_flat;
using testing::reference;
using tracking::Label;

std::unique_ptr<tracking::EdgeScorer> gnn() {
    ModelSource service;
    service.model = "tracks";
    const auto model = load_edge_network(service, "data/models/gnn/1/model.pt",
                                         EdgeNetworkInput::graph, *resolve_device("cpu"));
    EXPECT_TRUE(model) << model.error().message;
    return make_edge_scorer(std::move(*(*model)->make_instance()), EdgeNetworkInput::graph);
}

/// The embedding of in_e1000, whose network is not public.
class StoredEmbedder : public tracking::Embedder {
  public:
    Result<tracking::Embedding> embed(const tracking::Points&) override {
        return tracking::Embedding{read_flat<float>(reference("embed_output_OUTPUT__0")), 8};
    }
};

/// The logits of the reference's filter, joined by edge.
class StoredFilter : public tracking::EdgeScorer {
  public:
    StoredFilter() {
        const auto ends = read_flat<std::int32_t>(reference("frnn_output_OUTPUT0"));
        const auto logits = read_flat<float>(reference("filter_output_OUTPUT__0"));
        for (std::size_t k = 0; k < logits.size(); ++k) {
            logits_[{ends[k], ends[logits.size() + k]}] = logits[k];
        }
    }

    Result<std::vector<float>> score(const tracking::Points&,
                                     const tracking::EdgesView& edges) override {
        std::vector<float> scores;
        for (std::size_t k = 0; k < edges.size(); ++k) {
            scores.push_back(logits_.at({edges.source[k], edges.target[k]}));
        }
        return scores;
    }

  private:
    std::map<std::pair<std::int32_t, std::int32_t>, float> logits_;
};

TEST(TrackNetworksTest, ClassifierGivesTheReferenceLogits) {
    const auto features = read_flat<float>("data/events/in_e1000.csv");
    const auto ends =
        read_flat<std::int32_t>(reference("applyfilter_output_EDGE_LIST_AFTER_FILTER"));
    const auto expected = read_flat<float>(reference("gnn_output_OUTPUT__0"));
    const auto both = std::span(ends);
    const auto scores =
        gnn()->score({features, 3}, {both.first(expected.size()), both.subspan(expected.size())});
    ASSERT_TRUE(scores) << scores.error().message;
    ASSERT_EQ(scores->size(), expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k) {
        EXPECT_NEAR((*scores)[k], expected[k], 1e-3) << "edge " << k;
    }
}

TEST(TrackNetworksTest, GoldenChainEndsInTheReferencePartition) {
    tracking::TrackNetworks networks{std::make_unique<StoredEmbedder>(),
                                     std::make_unique<StoredFilter>(), gnn()};
    tracking::CpuTrackFinder finder({.scales = {.r = 3000, .z = 400}}, std::move(networks));
    const auto features = read_flat<float>("data/events/in_e1000.csv");
    auto found = finder.find({features, 3});
    ASSERT_TRUE(found) << found.error().message;
    std::vector<std::size_t> edge_counts;
    for (const auto& stage : found->stages) edge_counts.push_back(stage.edge_count);
    EXPECT_EQ(edge_counts, (std::vector<std::size_t>{0, 2334, 584, 584, 584}));
    ASSERT_EQ(found->tracks.labels.size(), point_count);
    found->tracks.labels.pop_back();  // the reference's file lacks the last point
    const auto labels = read_flat<Label>(reference("wcc_output_OUTPUT0"));
    EXPECT_EQ(partition_of(found->tracks.labels), partition_of(labels));
    EXPECT_EQ(partition_of(labels).size(), 37U);
}

}  // namespace
}  // namespace farm
