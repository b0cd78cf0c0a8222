#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include "gpu_worker/tracking/twin/edge_filter_weights.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

/// Our filter as one step, from edges to logits: what a layer gives stays with the team that made
/// it, so an edge costs a number of memory and not some hundred for each layer, and a graph of any
/// size goes through at once. The part of the first layer that is a point's is computed once for
/// each point.
namespace farm::tracking::twin {

FARM_LANE inline float silu(float x) { return quick_quotient(x, 1 + std::exp(-x)); }

/// sums += number * row
FARM_LANE inline void add_row(Quad& sums, float number, Quad row) {
    for (int k = 0; k < 4; ++k) {
        sums.values[k] = multiply_add(number, row.values[k], sums.values[k]);
    }
}

/// The edges that a team has at a time, a lane for each.
inline constexpr Index tile_edges = 64;

/// What two layers in turn give: [layer's number][edge].
struct EdgeTile {
    static constexpr int quads = tile_edges / 4;
    Quad numbers[2][EdgeFilterWeights::width][quads];
};

struct FilterEdges {
    using Weights = EdgeFilterWeights;

    PointRows points;
    EdgeList edges;
    const Weights* weights;
    const Quad* of_inner;  ///< [points, quads]: of the first layer, if the point is the inner one
    const Quad* of_outer;  ///< the same of the outer one, and the layer's bias
    float* logits;

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const std::size_t begin = static_cast<std::size_t>(number) * tile_edges;
        const std::size_t left = edges.size - begin;
        const Index count = left < tile_edges ? static_cast<Index>(left) : tile_edges;
        EdgeTile& tile = team.memory();
        team.for_each(tile_edges, [&](Index lane) {
            // Behind the last edge the last one stands again.
            first_layer(begin + (lane < count ? lane : count - 1), lane, tile.numbers[0]);
        });
        team.for_each(tile_edges,
                      [&](Index lane) { next_layer(0, lane, tile.numbers[0], tile.numbers[1]); });
        team.for_each(tile_edges,
                      [&](Index lane) { next_layer(1, lane, tile.numbers[1], tile.numbers[0]); });
        team.for_each(count,
                      [&](Index lane) { logits[begin + lane] = output(lane, tile.numbers[0]); });
    }

  private:
    using Numbers = Quad[EdgeTile::quads];

    FARM_LANE void first_layer(std::size_t edge, Index lane, Numbers* made) const {
        const Index a = edges.source[edge];
        const Index b = edges.target[edge];
        const SpacePointRow first(points.values + static_cast<std::size_t>(a) * 3);
        const SpacePointRow second(points.values + static_cast<std::size_t>(b) * 3);
        const bool is_turned = first.square_distance() > second.square_distance();
        float features[edge_feature_count];
        write_edge_features(is_turned ? second : first, is_turned ? first : second, features);
        features[0] = std::abs(features[0]);
        features[1] = std::abs(features[1]);
        const Quad* inner = of_inner + static_cast<std::size_t>(is_turned ? b : a) * Weights::quads;
        const Quad* outer = of_outer + static_cast<std::size_t>(is_turned ? a : b) * Weights::quads;
        for (int q = 0; q < Weights::quads; ++q) {
            Quad sums = outer[q];
            add_row(sums, 1, inner[q]);
            for (int k = 0; k < edge_feature_count; ++k) {
                add_row(sums, features[k], weights->of_edge[k][q]);
            }
            for (int k = 0; k < 4; ++k) {
                made[4 * q + k][lane / 4].values[lane % 4] = silu(sums.values[k]);
            }
        }
    }

    /// Eight numbers of eight edges by each lane: each that is read counts eight times.
    FARM_LANE void next_layer(int layer, Index lane, const Numbers* given, Numbers* made) const {
        constexpr int half = EdgeTile::quads / 2;
        const int edge_quad = lane % half;        // and that one half further on
        const int number_quad = lane / half * 2;  // and the next
        Quad sums[2][8];                          // [quad of edges][number]
        for (int j = 0; j < 8; ++j) {
            const float bias = weights->biases[layer + 1][number_quad + j / 4].values[j % 4];
            sums[0][j] = sums[1][j] = Quad{{bias, bias, bias, bias}};
        }
        for (int k = 0; k < Weights::width; ++k) {
            const Quad low = given[k][edge_quad];
            const Quad high = given[k][edge_quad + half];
            const Quad row[2] = {weights->between[layer][k][number_quad],
                                 weights->between[layer][k][number_quad + 1]};
            for (int j = 0; j < 8; ++j) {
                add_row(sums[0][j], row[j / 4].values[j % 4], low);
                add_row(sums[1][j], row[j / 4].values[j % 4], high);
            }
        }
        for (int j = 0; j < 8; ++j) {
            for (int which = 0; which < 2; ++which) {
                Quad numbers = sums[which][j];
                for (float& number : numbers.values) number = silu(number);
                made[4 * number_quad + j][edge_quad + which * half] = numbers;
            }
        }
    }

    FARM_LANE float output(Index lane, const Numbers* given) const {
        float sum = weights->last_bias;
        for (int k = 0; k < Weights::width; ++k) {
            sum = multiply_add(weights->last[k / 4].values[k % 4],
                               given[k][lane / 4].values[lane % 4], sum);
        }
        return sum;
    }
};

template <Execution E>
class EdgeFilter final : public TwinEdgeScorer {
  public:
    EdgeFilter(const EdgeFilterWeights& weights, E run)
        : run_(std::move(run)), weights_(run_.template array<EdgeFilterWeights>(1)) {
        run_.upload(weights_, &weights, 1);
    }

    /// Of space points, three numbers each.
    Result<NetworkOutput> score(const PointRows& points, const EdgeList& edges) override {
        using Weights = EdgeFilterWeights;
        const Weights* weights = weights_.data();
        auto of_inner = run_.template array<Quad>(points.size * Weights::quads);
        auto of_outer = run_.template array<Quad>(points.size * Weights::quads);
        write_point_parts(points, of_inner, of_outer);
        auto logits = std::make_shared<Array<E, float>>(run_.template array<float>(edges.size));
        run_.template for_each_team<tile_edges, EdgeTile>(
            (edges.size + tile_edges - 1) / tile_edges,
            FilterEdges{points, edges, weights, of_inner.data(), of_outer.data(), logits->data()});
        const float* values = logits->data();
        return NetworkOutput{std::move(logits), values, edges.size};
    }

    /// Of the first layer, in memory of the device. Public for nvcc's sake.
    void write_point_parts(const PointRows& points, Array<E, Quad>& of_inner,
                           Array<E, Quad>& of_outer) {
        using Weights = EdgeFilterWeights;
        const Weights* weights = weights_.data();
        Quad* inner = of_inner.data();
        Quad* outer = of_outer.data();
        run_.for_each(points.size, [=] FARM_LANE(Index point) {
            float features[point_feature_count];
            write_point_features(SpacePointRow(points.values + std::size_t{3} * point), features);
            for (int q = 0; q < Weights::quads; ++q) {
                Quad in{};
                Quad out = weights->biases[0][q];
                for (int k = 0; k < point_feature_count; ++k) {
                    add_row(in, features[k], weights->of_inner[k][q]);
                    add_row(out, features[k], weights->of_outer[k][q]);
                }
                inner[std::size_t(point) * Weights::quads + q] = in;
                outer[std::size_t(point) * Weights::quads + q] = out;
            }
        });
    }

  private:
    E run_;
    Array<E, EdgeFilterWeights> weights_;
};

}  // namespace farm::tracking::twin
