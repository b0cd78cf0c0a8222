#pragma once

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "gpu_worker/tracking/networks.h"

namespace farm::tracking::testing {

/// The features themselves.
class FeatureEmbedder : public Embedder {
  public:
    Result<Embedding> embed(const Points& features) override {
        return Embedding{{features.values.begin(), features.values.end()},
                         features.dimension_count};
    }
};

/// A logit for each edge by a function of its ends; remembers how many edges each call had.
class FunctionScorer : public EdgeScorer {
  public:
    using Function = std::function<float(std::int32_t source, std::int32_t target)>;

    explicit FunctionScorer(Function function) : function_(std::move(function)) {}

    Result<std::vector<float>> score(const Points&, const EdgesView& edges) override {
        edge_counts.push_back(edges.size());
        std::vector<float> scores;
        for (std::size_t k = 0; k < edges.size(); ++k) {
            scores.push_back(function_(edges.source[k], edges.target[k]));
        }
        return scores;
    }

    std::vector<std::size_t> edge_counts;

  private:
    Function function_;
};

}  // namespace farm::tracking::testing
