#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"
#include "gpu_worker/tracking/nearest_edges.h"
#include "gpu_worker/tracking/radius_graph.h"
#include "gpu_worker/tracking/twin/twin_track_finder.h"
#include "gpu_worker/tracking/walkthrough.h"
#include "tests/unit/gpu_worker/tracking/fake_networks.h"
#include "tests/unit/gpu_worker/tracking/random_points.h"

/// The twins against the stages of the processor, for whatever runs them: a `Place` has a type
/// Execution, why_not() with the reason why it cannot be had here or an empty text, make(), and the
/// number of points of a large case.
namespace farm::tracking::twin::testing {

using tracking::testing::clustered_points;
using tracking::testing::PointSet;

template <class Place>
class TwinTest : public ::testing::Test {
  protected:
    using E = typename Place::Execution;

    void SetUp() override {
        if (!Place::why_not().empty()) GTEST_SKIP() << Place::why_not();
    }

    template <class Number>
    Array<E, Number> on_device(std::span<const Number> numbers) {
        return uploaded(run(), numbers);
    }
    template <class Number>
    std::vector<Number> on_host(const typename E::template Array<Number>& numbers) {
        std::vector<Number> made(numbers.size());
        run().download(made.data(), numbers.data(), numbers.size());
        run().wait();
        return made;
    }
    EdgeArrays<E> on_device(const Edges& edges) {
        return {on_device<Index>(edges.source), on_device<Index>(edges.target)};
    }
    Edges on_host(const EdgeArrays<E>& edges) {
        return {on_host<Index>(edges.source), on_host<Index>(edges.target)};
    }

    /// The graph of a twin, or its error.
    Result<Edges> graph_of(const PointSet& points, const RadiusGraphConfig& config,
                           std::vector<Index> event_ends = {}) {
        const Points view = points.view();
        if (event_ends.empty()) event_ends.push_back(static_cast<Index>(view.size()));
        const auto values = on_device<float>(view.values);
        const auto ends = on_device<Index>(event_ends);
        auto graph = twin::radius_graph(run(), {values.data(), view.size(), view.dimension_count},
                                        ends, config);
        if (!graph) return tl::unexpected(graph.error());
        return on_host(*graph);
    }

    void expect_same_graph(const PointSet& points, const RadiusGraphConfig& config) {
        const auto expected = tracking::radius_graph(points.view(), config);
        const auto graph = graph_of(points, config);
        ASSERT_TRUE(expected && graph);
        EXPECT_TRUE(*graph == *expected)
            << points.dimension_count << " dimensions, radius " << config.radius << ": "
            << graph->size() << " edges and not " << expected->size();
    }

    /// With little patience, too, with which the device gives up at all junctions or some. Returns
    /// how many tracks there are.
    Label expect_same_walk(const ScoredEdges& edges, const std::vector<float>& distances,
                           const WalkthroughConfig& config) {
        const auto expected = tracking::walkthrough(edges, distances, config);
        EXPECT_TRUE(expected) << expected.error().message;
        if (!expected) return 0;
        const auto device = on_device(edges.edges);
        const auto scores = on_device<float>(edges.scores);
        const auto places = on_device<float>(distances);
        for (const Index looks : {walk_look_limit, 20, 0}) {
            auto walked = twin::walkthrough(run(), places.data(), distances.size(), device.list(),
                                            scores.data(), config, looks);
            const bool is_given_up = read_number(run(), walked.is_given_up, 0) != 0;
            EXPECT_FALSE(is_given_up && looks == walk_look_limit);
            given_up_count_ += is_given_up ? 1 : 0;
            if (is_given_up) {
                auto tracks = walked_by_processor(run(), places.data(), distances.size(),
                                                  device.list(), scores.data(), config);
                EXPECT_TRUE(tracks) << tracks.error().message;
                if (!tracks) return 0;
                walked.tracks = std::move(*tracks);
            }
            EXPECT_TRUE(labels_of(walked.tracks) == expected->labels)
                << distances.size() << " points, " << edges.size() << " edges, " << looks
                << " looks; cuts " << config.component_cut << ' ' << config.walk_cut << ' '
                << config.branch_cut;
        }
        return expected->count;
    }

    std::vector<Label> labels_of(const Array<E, Index>& tracks) {
        const std::vector<Index> ends{static_cast<Index>(tracks.size())};
        const auto labels = track_labels(run(), tracks, on_device<Index>(ends), 1);
        return on_host<Label>(labels.labels);
    }

    /// Made at the first use: SetUp() may find that there is none.
    E& run() {
        if (!run_) run_ = Place::make();
        return *run_;
    }

    /// Walks that the device gave up.
    int given_up_count() const { return given_up_count_; }

  private:
    std::unique_ptr<E> run_;
    int given_up_count_{0};
};

TYPED_TEST_SUITE_P(TwinTest);

// ---- radius graph -----------------------------------------------------------------------------

TYPED_TEST_P(TwinTest, RadiusGraphHasTheEdgesOfTheProcessor) {
    for (const std::size_t dimensions : {1U, 2U, 3U, 4U, 7U, 8U, 12U, 16U, 21U}) {
        const PointSet points = clustered_points(1501, dimensions, 10, 0.05F, 7);
        for (const float radius : {0.01F, 0.2F, 1.0F}) {
            this->expect_same_graph(points, {.radius = radius});
        }
    }
}

TYPED_TEST_P(TwinTest, RadiusGraphOfCoordinatesOnALattice) {
    std::mt19937 engine(5);
    for (int round = 0; round < 40; ++round) {
        PointSet points{{}, engine() % 4 + 1};
        const std::size_t count = engine() % 60;
        for (std::size_t i = 0; i < count * points.dimension_count; ++i) {
            points.values.push_back(0.5F * static_cast<float>(static_cast<int>(engine() % 7) - 3));
        }
        this->expect_same_graph(points, {.radius = 0.5F * static_cast<float>(engine() % 5 + 1)});
    }
}

TYPED_TEST_P(TwinTest, RadiusGraphOfNoPointAndOne) {
    this->expect_same_graph({{}, 8}, {.radius = 1});
    this->expect_same_graph({{1, 2, 3}, 3}, {.radius = 1});
}

TYPED_TEST_P(TwinTest, RadiusGraphOfEqualPoints) {
    this->expect_same_graph({std::vector<float>(3 * 500, 0.25F), 3}, {.radius = 1e-10F});
}

TYPED_TEST_P(TwinTest, RadiusGraphOfPointsFarApart) {
    PointSet points = clustered_points(500, 8, 10, 0.05F, 11);
    points.values.front() = 3e38F;
    points.values.back() = -3e38F;
    this->expect_same_graph(points, {.radius = 0.2F});
    for (float& value : points.values) value *= 1e-25F;
    this->expect_same_graph(points, {.radius = 1e-22F});
}

TYPED_TEST_P(TwinTest, RadiusGraphOfALargeEvent) {
    this->expect_same_graph(clustered_points(TypeParam::large, 8, 12, 0.02F, 3), {.radius = 0.1F});
}

TYPED_TEST_P(TwinTest, RadiusGraphJoinsNoPointsOfTwoEvents) {
    const PointSet points = clustered_points(900, 8, 10, 0.05F, 13);
    const std::vector<Index> ends{0, 200, 201, 201, 650, 900};
    Edges expected;
    Index begin = 0;
    for (const Index end : ends) {
        const std::span values(points.values);
        const auto part = tracking::radius_graph({values.subspan(8 * begin, 8 * (end - begin)), 8},
                                                 {.radius = 0.3F});
        ASSERT_TRUE(part);
        for (const Index point : part->source) expected.source.push_back(begin + point);
        for (const Index point : part->target) expected.target.push_back(begin + point);
        begin = end;
    }
    const auto graph = this->graph_of(points, {.radius = 0.3F}, ends);
    ASSERT_TRUE(graph);
    EXPECT_TRUE(*graph == expected);
    EXPECT_GT(expected.size(), 0U);
}

TYPED_TEST_P(TwinTest, RadiusGraphBeyondItsLimitIsRefused) {
    const PointSet points{std::vector<float>(3 * 300, 1.0F), 3};
    const auto graph = this->graph_of(points, {.radius = 1, .edge_limit = 300 * 299 / 2 - 1});
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, ErrorCode::too_large);
    EXPECT_TRUE(this->graph_of(points, {.radius = 1, .edge_limit = 300 * 299 / 2}));
}

TYPED_TEST_P(TwinTest, NearestNeighboursAreThoseOfTheProcessor) {
    const PointSet points = clustered_points(800, 8, 20, 0.05F, 17);
    PointSet lattice{{}, 2};
    for (int i = 0; i < 200; ++i) {
        lattice.values.push_back(static_cast<float>(i % 14));
        const int row = i / 14;
        lattice.values.push_back(static_cast<float>(row));
    }
    for (const std::size_t limit : {1U, 3U, 10U, 1000U}) {
        this->expect_same_graph(points, {.radius = 0.4F, .neighbour_limit = limit});
        this->expect_same_graph(lattice, {.radius = 3, .neighbour_limit = limit});
    }
}

// ---- tracks -----------------------------------------------------------------------------------

/// Each pair of points at most once, in any direction and order.
inline ScoredEdges random_edges(Index point_count, double density, std::mt19937& engine) {
    ScoredEdges edges;
    std::bernoulli_distribution is_edge(density);
    std::uniform_real_distribution<float> score;
    for (Index a = 0; a < point_count; ++a) {
        for (Index b = 0; b < a; ++b) {
            if (!is_edge(engine)) continue;
            const bool turned = engine() % 2 == 0;
            edges.edges.source.push_back(turned ? a : b);
            edges.edges.target.push_back(turned ? b : a);
            // Few values, so that there are equal ones.
            edges.scores.push_back(std::round(16 * score(engine)) / 16);
        }
    }
    return edges;
}

inline std::vector<float> random_distances(Index point_count, std::mt19937& engine) {
    std::vector<float> distances;
    for (Index i = 0; i < point_count; ++i) {
        distances.push_back(static_cast<float>(engine() % 50));
    }
    return distances;
}

TYPED_TEST_P(TwinTest, ComponentsAreThoseOfTheProcessor) {
    std::mt19937 engine(19);
    for (const Index count : {0, 1, 2, 40, 700}) {
        for (const double density : {0.0, 0.002, 0.05}) {
            const ScoredEdges edges = random_edges(count, density, engine);
            const auto expected = connected_components(count, edges.edges.view());
            ASSERT_TRUE(expected);
            const auto device = this->on_device(edges.edges);
            const auto scores = this->template on_device<float>(edges.scores);
            const auto roots = component_roots(this->run(), count, device.list(),
                                               EdgesAbove{scores.data(), -1.0F});
            EXPECT_TRUE(this->labels_of(roots) == expected->labels) << count << " points";
        }
    }
}

TYPED_TEST_P(TwinTest, AChainIsOneComponentInWhateverOrder) {
    const Index count = 5000;
    Edges chain;
    for (Index i = 1; i < count; ++i) {
        chain.source.push_back(i);
        chain.target.push_back(i - 1);
    }
    const auto device = this->on_device(chain);
    const std::vector<Index> all(chain.size(), 1);
    const auto flags = this->template on_device<Index>(all);
    const auto roots =
        component_roots(this->run(), count, device.list(), FlaggedEdges{flags.data()});
    EXPECT_TRUE(this->template on_host<Index>(roots) == std::vector<Index>(count, 0));
}

TYPED_TEST_P(TwinTest, WalkthroughGivesTheTracksOfTheProcessor) {
    std::mt19937 engine(23);
    Label track_count = 0;
    for (int round = 0; round < 120; ++round) {
        const auto count = static_cast<Index>(engine() % 200);
        const double density = std::min(1.0, (0.2 + 0.1 * (round % 60)) / (count + 1));
        const ScoredEdges edges = random_edges(count, density, engine);
        // In any order, equal to scores or between them, and beyond all.
        const auto cut = [&] { return static_cast<float>(engine() % 37) / 32 - 1.0F / 16; };
        const WalkthroughConfig config{.component_cut = cut() / 2,
                                       .walk_cut = cut() / 2,
                                       .branch_cut = cut(),
                                       .minimum_hit_count = round % 4 + 1U};
        track_count += this->expect_same_walk(edges, random_distances(count, engine), config);
    }
    EXPECT_GT(track_count, 1000);
}

/// More components than there are teams, each of two tracks that share points.
inline ScoredEdges forks(Index fork_count) {
    ScoredEdges edges;
    const auto join = [&](Index a, Index b, float score) {
        edges.edges.source.push_back(a);
        edges.edges.target.push_back(b);
        edges.scores.push_back(score);
    };
    for (Index fork = 0; fork < fork_count; ++fork) {
        const Index first = 8 * fork;
        for (Index i = 1; i < 6; ++i) join(first + i - 1, first + i, 0.9F);
        join(first + 2, first + 6, 0.8F);
        join(first + 6, first + 7, 0.8F + 0.05F * static_cast<float>(fork % 5));
    }
    return edges;
}

TYPED_TEST_P(TwinTest, WalkthroughOfManyComponents) {
    const Index fork_count = 5000;
    std::vector<float> distances(8 * fork_count);
    std::iota(distances.begin(), distances.end(), 0.0F);
    const WalkthroughConfig config{.minimum_hit_count = 2};
    EXPECT_EQ(this->expect_same_walk(forks(fork_count), distances, config), 2 * fork_count);
}

/// Points on tracks of ten, and edges from each to a few places further out.
TYPED_TEST_P(TwinTest, WalkthroughOfALargeComponent) {
    std::mt19937 engine(41);
    const Index tracks = 300;
    const Index count = 10 * tracks;
    ScoredEdges edges;
    std::vector<float> distances(static_cast<std::size_t>(count));
    std::iota(distances.begin(), distances.end(), 0.0F);
    for (Index i = tracks; i < count; ++i) {
        for (const Index step : {0, 1, 3}) {
            if (step != 0 && engine() % 4 != 0) continue;
            edges.edges.source.push_back(i);
            edges.edges.target.push_back((i - tracks + step) % i);
            edges.scores.push_back(static_cast<float>(engine() % 16) / 16);
        }
    }
    const WalkthroughConfig config{.component_cut = -1, .walk_cut = 0.1F, .branch_cut = 0.5F};
    EXPECT_GT(this->expect_same_walk(edges, distances, config), 100);
    EXPECT_EQ(this->given_up_count(), 2);
}

TYPED_TEST_P(TwinTest, JunctionsAreRemovedAsOnTheProcessor) {
    std::mt19937 engine(29);
    for (int round = 0; round < 40; ++round) {
        const auto count = static_cast<Index>(engine() % 150);
        const ScoredEdges edges = random_edges(count, 0.04, engine);
        const std::vector<float> distances = random_distances(count, engine);
        ScoredEdges above = edges_above(edges.edges.view(), edges.scores, 0.25F);
        auto oriented = outward(std::move(above.edges), distances);
        ASSERT_TRUE(oriented);
        const auto chains = tracking::junction_removal({std::move(*oriented), above.scores}, count);
        ASSERT_TRUE(chains);
        const auto expected = connected_components(count, chains->edges.view());

        const auto device = this->on_device(edges.edges);
        const auto scores = this->template on_device<float>(edges.scores);
        const auto places = this->template on_device<float>(distances);
        const auto flags = twin::junction_removal(this->run(), places.data(), count, device.list(),
                                                  scores.data(), 0.25F);
        const auto roots =
            component_roots(this->run(), count, device.list(), FlaggedEdges{flags.data()});
        EXPECT_TRUE(this->labels_of(roots) == expected->labels);
    }
}

// ---- the whole --------------------------------------------------------------------------------

/// The features themselves.
class SameRows : public TwinEmbedder {
  public:
    Result<NetworkOutput> embed(const PointRows& features) override {
        return NetworkOutput{nullptr, features.values, features.size, features.dimension_count};
    }
};

/// A number for each pair of points, the same for both directions, -4 to 4.
FARM_LANE inline float pair_logit(Index a, Index b) {
    const auto mixed = static_cast<std::uint32_t>(a + b) * 2654435761U;
    return static_cast<float>(mixed >> 16) / 8192 - 4;
}
inline float host_pair_logit(Index a, Index b) {
    const auto mixed = static_cast<std::uint32_t>(a + b) * 2654435761U;
    return static_cast<float>(mixed >> 16) / 8192 - 4;
}

template <Execution E>
void write_pair_logits(E& run, const EdgeList& edges, Array<E, float>& logits) {
    float* logit_of = logits.data();
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        logit_of[edge] = pair_logit(edges.source[edge], edges.target[edge]);
    });
}

template <Execution E>
class PairLogits : public TwinEdgeScorer {
  public:
    explicit PairLogits(E& run) : run_(run) {}

    Result<NetworkOutput> score(const PointRows&, const EdgeList& edges) override {
        auto logits = std::make_shared<Array<E, float>>(run_.template array<float>(edges.size));
        write_pair_logits(run_, edges, *logits);
        return NetworkOutput{logits, logits->data(), edges.size};
    }

  private:
    E& run_;
};

TYPED_TEST_P(TwinTest, TheWholeChainFindsTheTracksOfTheProcessor) {
    using E = typename TypeParam::Execution;
    const PointSet points = clustered_points(1200, 3, 12, 0.1F, 31);
    const std::vector<std::size_t> ends{400, 400, 1200};
    for (const bool undirected : {false, true}) {
        for (const auto method :
             {TrackMethod::components, TrackMethod::junction_removal, TrackMethod::walkthrough}) {
            const TrackFinderConfig config{
                .radius = {.radius = 0.2F},
                .filter = {.cut = 0.3F, .chunk_edge_count = 1000, .undirected = undirected},
                .classifier = {.cut = 0.6F},
                .track_method = method,
                .minimum_hit_count = 2};
            TrackNetworks networks;
            networks.embedder = std::make_unique<tracking::testing::FeatureEmbedder>();
            networks.filter = std::make_unique<tracking::testing::FunctionScorer>(host_pair_logit);
            networks.classifier =
                std::make_unique<tracking::testing::FunctionScorer>(host_pair_logit);
            CpuTrackFinder processor(config, std::move(networks));
            const auto expected = processor.find(points.view(), ends);
            ASSERT_TRUE(expected) << expected.error().message;

            for (const Index looks : {walk_look_limit, 0}) {  // then the processor walks
                TwinNetworks twins{std::make_unique<SameRows>(),
                                   std::make_unique<PairLogits<E>>(this->run()),
                                   std::make_unique<PairLogits<E>>(this->run())};
                TwinTrackFinder<E> finder(config, std::move(twins), std::move(*TypeParam::make()),
                                          looks);
                const auto found = finder.find(points.view(), ends, KeepEdges::yes);
                ASSERT_TRUE(found) << found.error().message;
                EXPECT_TRUE(found->graph == expected->graph);
                EXPECT_TRUE(found->edges.edges == expected->edges.edges);
                EXPECT_TRUE(found->tracks == expected->tracks);
                for (std::size_t i = 0; i < 5; ++i) {
                    EXPECT_EQ(found->stages[i].name, expected->stages[i].name);
                    EXPECT_EQ(found->stages[i].edge_count, expected->stages[i].edge_count);
                }
            }
        }
    }
}

TYPED_TEST_P(TwinTest, EmptyEventHasNoTracks) {
    using E = typename TypeParam::Execution;
    TwinNetworks networks{std::make_unique<SameRows>(), nullptr,
                          std::make_unique<PairLogits<E>>(this->run())};
    TwinTrackFinder<E> finder({}, std::move(networks), std::move(*TypeParam::make()));
    const auto found = finder.find({{}, 3}, {}, KeepEdges::yes);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->tracks == Tracks{});
    EXPECT_EQ(found->stages.size(), 5U);
    const std::vector<float> hit{1, 2, 3};
    const auto lone = finder.find({hit, 3}, {}, KeepEdges::no);
    ASSERT_TRUE(lone);
    EXPECT_TRUE(lone->tracks == (Tracks{{0}, 1}));
}

/// Of all but the first two.
template <Execution E>
class NanLogits : public TwinEdgeScorer {
  public:
    explicit NanLogits(E& run) : run_(run) {}

    Result<NetworkOutput> score(const PointRows&, const EdgeList& edges) override {
        std::vector<float> logits(edges.size, std::nanf(""));
        std::fill_n(logits.begin(), std::min<std::size_t>(2, edges.size), 4.0F);
        auto made = std::make_shared<Array<E, float>>(uploaded<E, float>(run_, logits));
        return NetworkOutput{made, made->data(), edges.size};
    }

  private:
    E& run_;
};

TYPED_TEST_P(TwinTest, ScoreThatIsNoNumberIsAFaultOfTheNetwork) {
    using E = typename TypeParam::Execution;
    const PointSet points = clustered_points(200, 3, 5, 0.1F, 43);
    for (const bool is_filter : {false, true}) {
        TwinNetworks networks{std::make_unique<SameRows>(),
                              std::make_unique<PairLogits<E>>(this->run()),
                              std::make_unique<PairLogits<E>>(this->run())};
        (is_filter ? networks.filter : networks.classifier) =
            std::make_unique<NanLogits<E>>(this->run());
        const TrackFinderConfig config{.radius = {.radius = 0.2F},
                                       .track_method = TrackMethod::walkthrough};
        TwinTrackFinder<E> finder(config, std::move(networks), std::move(*TypeParam::make()), 0);
        const auto found = finder.find(points.view(), {}, KeepEdges::yes);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, ErrorCode::internal);
        EXPECT_NE(found.error().message.find("edge 2 is"), std::string::npos)
            << found.error().message;
    }
}

/// Of which one number is none.
template <Execution E>
class BadRows : public TwinEmbedder {
  public:
    explicit BadRows(E& run) : run_(run) {}

    Result<NetworkOutput> embed(const PointRows& features) override {
        std::vector<float> rows(2 * features.size, 0.5F);
        rows[7] = std::nanf("");
        auto made = std::make_shared<Array<E, float>>(uploaded<E, float>(run_, rows));
        return NetworkOutput{made, made->data(), features.size, 2};
    }

  private:
    E& run_;
};

class NoColumns : public TwinEmbedder {
  public:
    Result<NetworkOutput> embed(const PointRows& features) override {
        return NetworkOutput{nullptr, nullptr, features.size, 0};
    }
};

TYPED_TEST_P(TwinTest, EmbeddingThatCannotBeIsAFaultOfTheNetwork) {
    using E = typename TypeParam::Execution;
    const PointSet points = clustered_points(20, 3, 5, 0.1F, 37);
    const auto expect_fault = [&](std::unique_ptr<TwinEmbedder> embedder, const char* text) {
        TwinNetworks networks{std::move(embedder), nullptr,
                              std::make_unique<PairLogits<E>>(this->run())};
        TwinTrackFinder<E> finder({}, std::move(networks), std::move(*TypeParam::make()));
        const auto found = finder.find(points.view(), {}, KeepEdges::no);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, ErrorCode::internal);
        EXPECT_NE(found.error().message.find(text), std::string::npos) << found.error().message;
    };
    expect_fault(std::make_unique<BadRows<E>>(this->run()), "coordinate 1 of point 3");
    expect_fault(std::make_unique<NoColumns>(), "0 dimensions (the limits are 1 and");
}

REGISTER_TYPED_TEST_SUITE_P(TwinTest, RadiusGraphHasTheEdgesOfTheProcessor,
                            RadiusGraphOfCoordinatesOnALattice, RadiusGraphOfNoPointAndOne,
                            RadiusGraphOfEqualPoints, RadiusGraphOfPointsFarApart,
                            RadiusGraphOfALargeEvent, RadiusGraphJoinsNoPointsOfTwoEvents,
                            RadiusGraphBeyondItsLimitIsRefused,
                            NearestNeighboursAreThoseOfTheProcessor,
                            ComponentsAreThoseOfTheProcessor, AChainIsOneComponentInWhateverOrder,
                            WalkthroughGivesTheTracksOfTheProcessor, WalkthroughOfManyComponents,
                            WalkthroughOfALargeComponent, JunctionsAreRemovedAsOnTheProcessor,
                            TheWholeChainFindsTheTracksOfTheProcessor, EmptyEventHasNoTracks,
                            ScoreThatIsNoNumberIsAFaultOfTheNetwork,
                            EmbeddingThatCannotBeIsAFaultOfTheNetwork);

}  // namespace farm::tracking::twin::testing
