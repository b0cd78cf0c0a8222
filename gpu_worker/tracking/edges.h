#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/core/error.h"

/// What the stages of track reconstruction hand to one another: plain arrays, viewed by spans.
/// Point i of an event is i in every array. A device twin takes the same arrays in device memory.
namespace farm::tracking {

/// Rows of `dimension_count` float32: space points, their features or their embedding.
struct Points {
    std::span<const float> values;  ///< row-major [size(), dimension_count]
    std::size_t dimension_count{3};

    std::size_t size() const { return values.size() / dimension_count; }
    std::span<const float> row(std::size_t point) const {
        return values.subspan(point * dimension_count, dimension_count);
    }
};

/// Edge k goes from point source[k] to point target[k]. Views arrays of equal length.
struct EdgesView {
    std::span<const std::int32_t> source;
    std::span<const std::int32_t> target;

    std::size_t size() const { return source.size(); }
};

struct Edges {
    std::vector<std::int32_t> source;
    std::vector<std::int32_t> target;

    std::size_t size() const { return source.size(); }
    EdgesView view() const { return {source, target}; }
    friend bool operator==(const Edges&, const Edges&) = default;
};

/// Edges with what a network thinks of each: a probability, 0 to 1.
struct ScoredEdges {
    Edges edges;
    std::vector<float> scores;

    std::size_t size() const { return scores.size(); }
    friend bool operator==(const ScoredEdges&, const ScoredEdges&) = default;
};

/// The number of a track: 0, 1, ... in the order of each track's first point.
using Label = std::int32_t;
inline constexpr Label no_track = -1;

/// Which track each point belongs to.
struct Tracks {
    std::vector<Label> labels;  ///< of each point; no_track where it has none
    Label count{0};

    friend bool operator==(const Tracks&, const Tracks&) = default;
};

/// Errors: invalid for a shape without sense or a coordinate that is not finite, too_large beyond
/// limits.h. `what` names the points in the text. No points at all are fine.
Result<void> check_points(const Points& points, const char* what);

/// Errors: invalid for arrays of unequal length or an index that is no point's.
Result<void> check_edges(const EdgesView& edges, std::size_t point_count);

/// Errors: invalid, unless each edge has one score.
Result<void> check_score_count(std::size_t score_count, std::size_t edge_count);

/// The score of that edge is NaN.
Error nan_score(std::size_t edge);

/// check_edges(), and one score for each edge that is not NaN.
Result<void> check_scores(const EdgesView& edges, std::span<const float> scores,
                          std::size_t point_count);

}  // namespace farm::tracking
