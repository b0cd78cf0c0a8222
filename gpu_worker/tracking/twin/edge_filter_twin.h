#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "gpu_worker/tracking/twin/edge_filter_weights.h"
#include "gpu_worker/tracking/twin/tile.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

/// Our filter as one step, from edges to logits: what a layer gives stays with the team that made
/// it, so an edge costs a number of memory, a point 512 bytes, and no layer anything, and a graph
/// of any size goes through at once. The part of the first layer that is a point's is computed once
/// for each point.
namespace farm::tracking::twin {

/// The edges that a team has at a time.
inline constexpr Index filter_tile = 64;

/// What two layers in turn give.
struct FilterMemory {
    Tile<EdgeFilterWeights::width, filter_tile> tiles[2];
};

struct FilterEdges {
    using Weights = EdgeFilterWeights;
    static constexpr unsigned lanes = 64;

    PointRows points;
    EdgeList edges;
    const Weights* weights;
    const Quad* of_inner;  ///< [points, quads]: of the first layer, if the point is the inner one
    const Quad* of_outer;  ///< the same of the outer one, and the layer's bias
    float* logits;

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const Span span(number, filter_tile, edges.size);
        auto& [one, other] = team.memory().tiles;
        team.for_each(filter_tile, [&](Index lane) { first_layer(span[lane], lane, one); });
        team.for_each(Layer::lanes, [&](Index lane) {
            layer(lane, weights->between[0], weights->biases[1], one.rows, other, Silu{});
        });
        team.for_each(Layer::lanes, [&](Index lane) {
            layer(lane, weights->between[1], weights->biases[2], other.rows, one, Silu{});
        });
        team.for_each(span.count, [&](Index lane) {
            logits[span[lane]] = dot(one, lane, weights->last, weights->last_bias);
        });
    }

  private:
    using Layer = Block<Weights::width, filter_tile>;
    using Numbers = Tile<Weights::width, filter_tile>;

    FARM_LANE void first_layer(std::size_t edge, Index lane, Numbers& made) const {
        const OutwardEnds ends(points.values, edges.source[edge], edges.target[edge]);
        float features[edge_feature_count];
        write_edge_features(OutwardEnds::row(points.values, ends.inner),
                            OutwardEnds::row(points.values, ends.outer), features);
        features[0] = std::abs(features[0]);
        features[1] = std::abs(features[1]);
        const Quad* inner = of_inner + static_cast<std::size_t>(ends.inner) * Weights::quads;
        const Quad* outer = of_outer + static_cast<std::size_t>(ends.outer) * Weights::quads;
        for (int q = 0; q < Weights::quads; ++q) {
            Quad sums = outer[q];
            add_row(sums, 1, inner[q]);
            for (int k = 0; k < edge_feature_count; ++k) {
                add_row(sums, features[k], weights->of_edge[k][q]);
            }
            for (int k = 0; k < 4; ++k) made.at(4 * q + k, lane) = silu(sums.values[k]);
        }
    }
};

template <Execution E>
class EdgeFilter final : public TwinEdgeScorer {
  public:
    EdgeFilter(const EdgeFilterWeights& weights, E run)
        : run_(std::move(run)), weights_(uploaded<E, EdgeFilterWeights>(run_, {&weights, 1})) {}

    /// Of space points, three numbers each.
    Result<NetworkOutput> score(const PointRows& points, const EdgeList& edges) override {
        using Weights = EdgeFilterWeights;
        const Weights* weights = weights_.data();
        auto of_inner = run_.template array<Quad>(points.size * Weights::quads);
        auto of_outer = run_.template array<Quad>(points.size * Weights::quads);
        write_point_parts(points, of_inner, of_outer);
        auto logits = std::make_shared<Array<E, float>>(run_.template array<float>(edges.size));
        run_.template for_each_team<FilterEdges::lanes, FilterMemory>(
            (edges.size + filter_tile - 1) / filter_tile,
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
