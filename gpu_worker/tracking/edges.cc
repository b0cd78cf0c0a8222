#include "gpu_worker/tracking/edges.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "gpu_worker/tracking/limits.h"

namespace farm::tracking {

namespace {

using std::to_string;

Result<void> check_ends(std::span<const std::int32_t> ends, const char* side,
                        std::size_t point_count) {
    const auto outside = std::ranges::find_if(ends, [&](std::int32_t end) {
        return end < 0 || static_cast<std::size_t>(end) >= point_count;
    });
    if (outside == ends.end()) return {};
    return fail(ErrorCode::invalid, "edge " + to_string(outside - ends.begin()) + " has " + side +
                                        " " + to_string(*outside) + " (there are " +
                                        to_string(point_count) +
                                        " points): number the points from 0");
}

}  // namespace

Result<void> check_points(const Points& points, const char* what) {
    const std::size_t dimensions = points.dimension_count;
    if (dimensions == 0 || dimensions > limits::dimension_count) {
        return fail(ErrorCode::invalid, std::string(what) + " have " + to_string(dimensions) +
                                            " dimensions (1 to " +
                                            to_string(limits::dimension_count) +
                                            " are possible): use a smaller embedding");
    }
    if (points.values.size() % dimensions != 0) {
        return fail(ErrorCode::invalid, std::string(what) + " are " +
                                            to_string(points.values.size()) +
                                            " numbers (they have " + to_string(dimensions) +
                                            " dimensions): send whole rows");
    }
    if (points.size() > limits::point_count) {
        return fail(ErrorCode::too_large, std::string(what) + " are " + to_string(points.size()) +
                                              " (at most " + to_string(limits::point_count) +
                                              " make one graph): split the event");
    }
    const auto bad =
        std::ranges::find_if_not(points.values, [](float value) { return std::isfinite(value); });
    if (bad == points.values.end()) return {};
    const auto at = static_cast<std::size_t>(bad - points.values.begin());
    return fail(ErrorCode::invalid, std::string(what) + ": coordinate " +
                                        to_string(at % dimensions) + " of point " +
                                        to_string(at / dimensions) + " is " + to_string(*bad) +
                                        " (it must be finite): leave the point out");
}

Result<void> check_edges(const EdgesView& edges, std::size_t point_count) {
    if (edges.source.size() != edges.target.size()) {
        return fail(ErrorCode::invalid, "edges have " + to_string(edges.source.size()) +
                                            " sources and " + to_string(edges.target.size()) +
                                            " targets (each has one of both): send two equal rows");
    }
    if (auto sources = check_ends(edges.source, "source", point_count); !sources) return sources;
    return check_ends(edges.target, "target", point_count);
}

Result<void> check_score_count(std::size_t score_count, std::size_t edge_count) {
    if (score_count == edge_count) return {};
    return fail(ErrorCode::invalid, "there are " + to_string(score_count) + " scores for " +
                                        to_string(edge_count) +
                                        " edges (each has one): use a network that gives one "
                                        "score for each edge");
}

Error nan_score(std::size_t edge) {
    return {ErrorCode::invalid, "score of edge " + to_string(edge) +
                                    " is NaN (it must be a number): check the network's weights "
                                    "and the scales of its features"};
}

Result<void> check_scores(const EdgesView& edges, std::span<const float> scores,
                          std::size_t point_count) {
    if (auto checked = check_score_count(scores.size(), edges.size()); !checked) return checked;
    const auto bad = std::ranges::find_if(scores, [](float score) { return std::isnan(score); });
    if (bad != scores.end()) {
        return tl::unexpected(nan_score(static_cast<std::size_t>(bad - scores.begin())));
    }
    return check_edges(edges, point_count);
}

}  // namespace farm::tracking
