#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "gpu_worker/tracking/twin/edge_geometry.h"
#include "gpu_worker/tracking/twin/embedding_weights.h"
#include "gpu_worker/tracking/twin/tile.h"
#include "gpu_worker/tracking/twin/twin_networks.h"

/// Our embedding as one step, from space points to rows: what a layer gives stays with the team.
namespace farm::tracking::twin {

/// The points that a team has at a time.
inline constexpr Index embedding_tile = 64;

struct EmbeddingMemory {
    Tile<EmbeddingWeights::width, embedding_tile> tiles[2];
};

struct EmbedPoints {
    using Weights = EmbeddingWeights;
    static constexpr unsigned lanes = 64;

    PointRows points;
    const Weights* weights;
    float* rows;  ///< [points, dimension_count]

    template <class Team>
    FARM_LANE void operator()(const Team& team, Index number) const {
        const Span span(number, embedding_tile, points.size);
        auto& [one, other] = team.memory().tiles;
        team.for_each(embedding_tile, [&](Index lane) {
            float features[Weights::feature_count];
            write_features(row(span[lane]), features);
            first_layer(features, weights->of_features, weights->biases[0], one, lane);
        });
        team.for_each(Layer::lanes, [&](Index lane) {
            layer(lane, weights->between[0], weights->biases[1], one.rows, other, Silu{});
        });
        team.for_each(Layer::lanes, [&](Index lane) {
            layer(lane, weights->between[1], weights->biases[2], other.rows, one, Silu{});
        });
        team.for_each(span.count, [&](Index lane) { write_row(span[lane], lane, one); });
    }

  private:
    using Layer = Block<Weights::width, embedding_tile>;
    using Numbers = Tile<Weights::width, embedding_tile>;

    FARM_LANE SpacePointRow row(std::size_t point) const {
        return SpacePointRow(points.values + 3 * point);
    }

    FARM_LANE static void write_features(const SpacePointRow& at, float* features) {
        constexpr int octaves = Weights::octave_count;
        const float eta = at.eta();
        features[0] = at.r;
        features[1] = at.z;
        features[2] = eta;
        features[3] = 0.1F / (at.r + 0.05F);
        const float numbers[3] = {eta, 2 * at.r, 2 * at.z};
        for (int i = 0; i < 3 * octaves; ++i) {
            const float wave = numbers[i / octaves] * static_cast<float>(1 << i % octaves);
            features[4 + i] = std::cos(wave);
            features[4 + 3 * octaves + i] = std::sin(wave);
        }
    }

    /// The first outputs are radii of circles, on which the point goes round with phi.
    FARM_LANE void write_row(std::size_t point, Index lane, const Numbers& given) const {
        constexpr float pi = 3.14159265358979F;
        constexpr int circles = Weights::circle_count;
        Quad sums[Weights::output_quads];
        for (int q = 0; q < Weights::output_quads; ++q) sums[q] = weights->last_bias[q];
        for (int k = 0; k < Weights::width; ++k) {
            const float number = given.at(k, lane);
            for (int q = 0; q < Weights::output_quads; ++q) {
                add_row(sums[q], number, weights->last[k][q]);
            }
        }
        const float turn = row(point).phi * pi;
        float* made = rows + point * Weights::dimension_count;
        for (int i = 0; i < Weights::output_count; ++i) {
            const float output = sums[i / 4].values[i % 4];
            if (i >= circles) {
                made[circles + i] = output;
                continue;
            }
            const float angle = turn * weights->harmonics[i];
            made[i] = output * std::cos(angle);
            made[circles + i] = output * std::sin(angle);
        }
    }
};

template <Execution E>
class Embedding final : public TwinEmbedder {
  public:
    Embedding(const EmbeddingWeights& weights, E run)
        : run_(std::move(run)), weights_(uploaded<E, EmbeddingWeights>(run_, {&weights, 1})) {}

    /// Of space points, three numbers each.
    Result<NetworkOutput> embed(const PointRows& points) override {
        constexpr std::size_t dimensions = EmbeddingWeights::dimension_count;
        auto rows =
            std::make_shared<Array<E, float>>(run_.template array<float>(points.size * dimensions));
        run_.template for_each_team<EmbedPoints::lanes, EmbeddingMemory>(
            (points.size + embedding_tile - 1) / embedding_tile,
            EmbedPoints{points, weights_.data(), rows->data()});
        const float* values = rows->data();
        return NetworkOutput{std::move(rows), values, points.size, dimensions};
    }

  private:
    E run_;
    Array<E, EmbeddingWeights> weights_;
};

}  // namespace farm::tracking::twin
