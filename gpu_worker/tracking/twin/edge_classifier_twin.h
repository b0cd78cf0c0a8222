#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "gpu_worker/tracking/twin/edge_classifier_weights.h"
#include "gpu_worker/tracking/twin/select_edges.h"
#include "gpu_worker/tracking/twin/tile.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

/// Our edge classifier in two steps for each interaction, one of edges and one of points: what lies
/// between layers stays with the team. A point sums over its edges in their order, so the same
/// event has the same logits each time.
namespace farm::tracking::twin {

namespace classifier {

using Weights = EdgeClassifierWeights;
inline constexpr int width = Weights::width;
inline constexpr int quads = Weights::quads;
inline constexpr unsigned lanes = 64;
inline constexpr Index edge_tile = 128;
inline constexpr Index point_tile = 64;

/// What the steps work on, in memory of the device.
struct State {
    const Weights* weights;
    PointRows points;
    EdgeList edges;        ///< outward
    Quad* edge_numbers;    ///< [tile][number][edge]: what is known of an edge
    Quad* messages;        ///< [edges, quads]: from the edge to both of its points
    Quad* point_numbers;   ///< [points, quads]: what is known of a point
    Quad* of_first;        ///< [points, quads]: what it tells the edges that it is the inner end of
    Quad* of_second;       ///< ... the outer end
    const Index* outward;  ///< ids of the edges that leave each point, ascending
    const Index* outward_begins;
    const Index* inward;  ///< ... that enter it
    const Index* inward_begins;
    float* logits;
};

/// Each item's numbers to mean 0 and variance 1, scaled and shifted (LayerNorm), through SiLU.
template <int items>
FARM_LANE void normalise(Tile<width, items>& tile, Index item, const Quad* scale,
                         const Quad* shift) {
    constexpr float least_variance = 1e-5F;
    float sum = 0;
    for (int k = 0; k < width; ++k) sum += tile.at(k, item);
    const float mean = sum / width;
    float squares = 0;
    for (int k = 0; k < width; ++k) {
        const float gap = tile.at(k, item) - mean;
        squares = multiply_add(gap, gap, squares);
    }
    const float factor = 1 / std::sqrt(squares / width + least_variance);
    for (int k = 0; k < width; ++k) {
        const float number = (tile.at(k, item) - mean) * factor;
        tile.at(k, item) =
            silu(multiply_add(number, scale[k / 4].values[k % 4], shift[k / 4].values[k % 4]));
    }
}

FARM_LANE inline void add(Quad& sums, Quad numbers) { add_row(sums, 1, numbers); }

struct EdgeMemory {
    Tile<width, edge_tile> edges;
    Tile<width, edge_tile> other;
};

using EdgeLayer = Block<width, edge_tile>;

/// What is known of each edge before the first interaction.
struct StartEdges {
    State state;

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const Span span(number, edge_tile, state.edges.size);
        EdgeMemory& memory = team.memory();
        team.for_each(edge_tile, [&](Index lane) { look_at(span[lane], lane, memory.other); });
        team.for_each(EdgeLayer::lanes, [&](Index lane) {
            layer(lane, state.weights->edge_start, state.weights->edge_start_bias,
                  memory.other.rows, memory.edges, AsItIs{});
        });
        constexpr Index tile_quads = sizeof(memory.edges) / sizeof(Quad);
        Quad* kept = state.edge_numbers + static_cast<std::size_t>(number) * tile_quads;
        team.for_each(tile_quads, [&](Index i) {
            kept[i] = memory.edges.rows[i / (edge_tile / 4)][i % (edge_tile / 4)];
        });
    }

  private:
    FARM_LANE void look_at(std::size_t edge, Index lane, Tile<width, edge_tile>& made) const {
        const float* points = state.points.values;
        float features[edge_feature_count];
        write_edge_features(OutwardEnds::row(points, state.edges.source[edge]),
                            OutwardEnds::row(points, state.edges.target[edge]), features);
        first_layer(features, state.weights->edge_in, state.weights->edge_in_bias, made, lane);
    }
};

/// Edges learn from their ends. Then each sends a message to both, or, in the last interaction,
/// gives its logit.
struct MeetEdges {
    State state;
    int interaction;

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const Weights::Interaction& weights = state.weights->interactions[interaction];
        const Span span(number, edge_tile, state.edges.size);
        EdgeMemory& memory = team.memory();
        constexpr Index tile_quads = sizeof(memory.edges) / sizeof(Quad);
        Quad* kept = state.edge_numbers + static_cast<std::size_t>(number) * tile_quads;
        team.for_each(tile_quads, [&](Index i) {
            memory.edges.rows[i / (edge_tile / 4)][i % (edge_tile / 4)] = kept[i];
        });
        team.for_each(EdgeLayer::lanes, [&](Index lane) { see_ends(weights, span, lane, memory); });
        team.for_each(edge_tile, [&](Index lane) {
            normalise(memory.other, lane, weights.edge_scale, weights.edge_shift);
        });
        const bool is_last = interaction + 1 == Weights::interaction_count;
        team.for_each(EdgeLayer::lanes,
                      [&](Index lane) { learn(weights, lane, memory, is_last ? nullptr : kept); });
        if (!is_last) {
            team.for_each(edge_tile, [&](Index lane) {
                memory.other.at(0, lane) =
                    sigmoid(dot(memory.edges, lane, weights.belief, weights.belief_bias));
            });
            team.for_each(EdgeLayer::lanes, [&](Index lane) { tell(weights, span, lane, memory); });
            return;
        }
        team.for_each(EdgeLayer::lanes, [&](Index lane) {
            layer(lane, state.weights->score, state.weights->score_bias, memory.edges.rows,
                  memory.other, Silu{});
        });
        team.for_each(span.count, [&](Index lane) {
            state.logits[span[lane]] =
                dot(memory.other, lane, state.weights->last, state.weights->last_bias);
        });
    }

  private:
    FARM_LANE void see_ends(const Weights::Interaction& weights, const Span& span, Index lane,
                            EdgeMemory& memory) const {
        EdgeLayer block(lane);
        block.set(weights.of_edge_bias);
        block.add_product(weights.of_edge, memory.edges.rows);
        block.for_each_item([&](Quad& numbers, Index item, int quad) {
            const std::size_t edge = span[item];
            const auto first = static_cast<std::size_t>(state.edges.source[edge]);
            const auto second = static_cast<std::size_t>(state.edges.target[edge]);
            add(numbers, state.of_first[first * quads + quad]);
            add(numbers, state.of_second[second * quads + quad]);
        });
        block.store(memory.other.rows, AsItIs{});
    }

    /// Each lane changes the numbers that no other looks at.
    FARM_LANE void learn(const Weights::Interaction& weights, Index lane, EdgeMemory& memory,
                         Quad* kept) const {
        EdgeLayer block(lane);
        block.set(weights.edge_out_bias);
        block.add_product(weights.edge_out, memory.other.rows);
        block.add_to(memory.edges.rows, kept);
    }

    /// As much as they are believed, by the first of the other numbers.
    FARM_LANE void tell(const Weights::Interaction& weights, const Span& span, Index lane,
                        const EdgeMemory& memory) const {
        EdgeLayer block(lane);
        block.set(weights.message_bias);
        block.add_product(weights.message, memory.edges.rows);
        block.for_each_item([&](Quad& numbers, Index item, int quad) {
            if (item >= span.count) return;
            for (float& number : numbers.values) number *= memory.other.at(0, item);
            state.messages[span[item] * quads + quad] = numbers;
        });
    }
};

struct PointMemory {
    Tile<3 * width, point_tile> inputs;  ///< of a point: its own, inward, outward
    Tile<width, point_tile> made;
};

using PointLayer = Block<width, point_tile>;

/// What all points tell their edges in an interaction, from the first rows of `inputs`.
template <class Team>
FARM_LANE void tell_edges(const Team& team, const State& state, int interaction, const Span& span,
                          const PointMemory& memory) {
    const Weights::Interaction& weights = state.weights->interactions[interaction];
    team.for_each(2 * PointLayer::lanes, [&](Index lane) {
        const bool is_first = lane < PointLayer::lanes;
        PointLayer block(lane % PointLayer::lanes);
        block.set_zero();
        block.add_product(is_first ? weights.of_first : weights.of_second, memory.inputs.rows);
        Quad* told = is_first ? state.of_first : state.of_second;
        block.for_each_item([&](Quad& numbers, Index item, int quad) {
            if (item < span.count) told[span[item] * quads + quad] = numbers;
        });
    });
}

/// What is known of each point before the first interaction.
struct StartPoints {
    State state;

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const Span span(number, point_tile, state.points.size);
        PointMemory& memory = team.memory();
        team.for_each(point_tile, [&](Index lane) {
            float features[point_feature_count];
            write_point_features(SpacePointRow(state.points.values + 3 * span[lane]), features);
            first_layer(features, state.weights->point_in, state.weights->point_in_bias,
                        memory.made, lane);
        });
        team.for_each(PointLayer::lanes, [&](Index lane) {
            PointLayer block(lane);
            block.set(state.weights->point_start_bias);
            block.add_product(state.weights->point_start, memory.made.rows);
            block.store(memory.inputs.rows, AsItIs{});
            block.for_each_item([&](Quad& numbers, Index item, int quad) {
                if (item < span.count) state.point_numbers[span[item] * quads + quad] = numbers;
            });
        });
        tell_edges(team, state, 0, span, memory);
    }
};

/// Points hear their edges, and tell them what is next.
struct MeetPoints {
    State state;
    int interaction;

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const Weights::Interaction& weights = state.weights->interactions[interaction];
        const Span span(number, point_tile, state.points.size);
        PointMemory& memory = team.memory();
        // The lanes of a point read its rows together.
        team.for_each(quads * point_tile,
                      [&](Index i) { hear(span, i / quads, i % quads, memory); });
        team.for_each(PointLayer::lanes, [&](Index lane) {
            layer(lane, weights.of_point, weights.of_point_bias, memory.inputs.rows, memory.made,
                  AsItIs{});
        });
        team.for_each(point_tile, [&](Index lane) {
            normalise(memory.made, lane, weights.point_scale, weights.point_shift);
        });
        team.for_each(PointLayer::lanes, [&](Index lane) {
            PointLayer block(lane);
            block.set(weights.point_out_bias);
            block.add_product(weights.point_out, memory.made.rows);
            block.for_each_item([&](Quad& numbers, Index item, int quad) {
                if (item >= span.count) return;
                Quad& known = state.point_numbers[span[item] * quads + quad];
                add(numbers, known);
                known = numbers;
            });
            block.store(memory.inputs.rows, AsItIs{});
        });
        tell_edges(team, state, interaction + 1, span, memory);
    }

  private:
    FARM_LANE void hear(const Span& span, Index item, int quad, PointMemory& memory) const {
        const std::size_t point = span[item];
        const Quad heard[3] = {state.point_numbers[point * quads + quad],
                               sum(state.inward, state.inward_begins, point, quad),
                               sum(state.outward, state.outward_begins, point, quad)};
        for (int part = 0; part < 3; ++part) {
            for (int k = 0; k < 4; ++k) {
                memory.inputs.at(part * width + 4 * quad + k, item) = heard[part].values[k];
            }
        }
    }

    FARM_LANE Quad sum(const Index* ids, const Index* begins, std::size_t point, int quad) const {
        Quad sums{};
        for (Index k = begins[point]; k < begins[point + 1]; ++k) {
            add(sums, state.messages[static_cast<std::size_t>(ids[k]) * quads + quad]);
        }
        return sums;
    }
};

/// Of edges, one end.
struct OneEnd {
    const Index* ends;

    template <class Visit>
    FARM_LANE void operator()(Index edge, const Visit& visit) const {
        visit(ends[edge]);
    }
};

/// The edges at each point, ascending.
template <Execution E>
Incidence<E> edges_at(E& run, std::size_t point_count, const Array<E, Index>& ends) {
    Incidence<E> made = incidence(run, point_count, ends.size(), ends.size(), OneEnd{ends.data()});
    const Index* begins = made.begins.data();
    Index* ids = made.ids.data();
    run.for_each(point_count, [=] FARM_LANE(Index point) {
        sort_row(ids + begins[point], begins[point + 1] - begins[point], Ascending{});
    });
    return made;
}

/// The edges, each from the end that is nearer to the origin.
template <Execution E>
EdgeArrays<E> outward_edges(E& run, const PointRows& points, const EdgeList& edges) {
    EdgeArrays<E> made{run.template array<Index>(edges.size),
                       run.template array<Index>(edges.size)};
    Index* sources = made.source.data();
    Index* targets = made.target.data();
    run.for_each(edges.size, [=] FARM_LANE(Index edge) {
        const OutwardEnds ends(points.values, edges.source[edge], edges.target[edge]);
        sources[edge] = ends.inner;
        targets[edge] = ends.outer;
    });
    return made;
}

}  // namespace classifier

template <Execution E>
class EdgeClassifier final : public TwinEdgeScorer {
  public:
    EdgeClassifier(const EdgeClassifierWeights& weights, E run)
        : run_(std::move(run)), weights_(uploaded<E, EdgeClassifierWeights>(run_, {&weights, 1})) {}

    /// Of space points, three numbers each.
    Result<NetworkOutput> score(const PointRows& points, const EdgeList& edges) override {
        using namespace classifier;
        const std::size_t point_tiles = (points.size + point_tile - 1) / point_tile;
        const std::size_t edge_tiles = (edges.size + edge_tile - 1) / edge_tile;
        const EdgeArrays<E> outward = outward_edges(run_, points, edges);
        const Incidence<E> leaving = edges_at(run_, points.size, outward.source);
        const Incidence<E> entering = edges_at(run_, points.size, outward.target);
        auto edge_numbers = run_.template array<Quad>(edge_tiles * edge_tile * quads);
        auto messages = run_.template array<Quad>(edges.size * quads);
        auto point_numbers = run_.template array<Quad>(points.size * quads);
        auto of_first = run_.template array<Quad>(points.size * quads);
        auto of_second = run_.template array<Quad>(points.size * quads);
        auto logits = std::make_shared<Array<E, float>>(run_.template array<float>(edges.size));
        const State state{weights_.data(),     points,
                          outward.list(),      edge_numbers.data(),
                          messages.data(),     point_numbers.data(),
                          of_first.data(),     of_second.data(),
                          leaving.ids.data(),  leaving.begins.data(),
                          entering.ids.data(), entering.begins.data(),
                          logits->data()};
        run_.template for_each_team<lanes, PointMemory>(point_tiles, StartPoints{state});
        run_.template for_each_team<lanes, EdgeMemory>(edge_tiles, StartEdges{state});
        for (int i = 0; i < Weights::interaction_count; ++i) {
            run_.template for_each_team<lanes, EdgeMemory>(edge_tiles, MeetEdges{state, i});
            if (i + 1 == Weights::interaction_count) break;
            run_.template for_each_team<lanes, PointMemory>(point_tiles, MeetPoints{state, i});
        }
        const float* values = logits->data();
        return NetworkOutput{std::move(logits), values, edges.size};
    }

  private:
    E run_;
    Array<E, EdgeClassifierWeights> weights_;
};

}  // namespace farm::tracking::twin
