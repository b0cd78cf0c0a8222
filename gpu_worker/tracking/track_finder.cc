#include "gpu_worker/tracking/track_finder.h"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/tracking/connected_components.h"
#include "gpu_worker/tracking/edge_cut.h"

namespace farm::tracking {

namespace {

Points part_of(const Points& points, std::size_t begin, std::size_t end) {
    const std::size_t width = points.dimension_count;
    return {points.values.subspan(begin * width, (end - begin) * width), width};
}

void append_moved(std::vector<std::int32_t>& ends, const std::vector<std::int32_t>& more,
                  std::size_t first_point) {
    for (const std::int32_t end : more) {
        ends.push_back(end + static_cast<std::int32_t>(first_point));
    }
}

std::vector<float> distances_of(const Points& features, const SpacePointScales& scales) {
    std::vector<float> squares(features.size());
    for (std::size_t i = 0; i < squares.size(); ++i) {
        const float r = features.row(i)[0] * scales.r;
        const float z = features.row(i)[2] * scales.z;
        squares[i] = r * r + z * z;
    }
    return squares;
}

/// A track lies in one event, and tracks are numbered by their first points: those of an event
/// follow one another.
void number_by_event(std::vector<Label>& labels, const std::vector<std::size_t>& event_ends) {
    Label first = 0;
    std::size_t begin = 0;
    for (const std::size_t end : event_ends) {
        Label next = first;
        for (std::size_t i = begin; i < end; ++i) {
            if (labels[i] == no_track) continue;
            next = std::max(next, labels[i] + 1);
            labels[i] -= first;
        }
        first = next;
        begin = end;
    }
}

}  // namespace

struct TrackFinder::Threads {
    oneapi::tbb::task_arena arena;
};

TrackFinder::TrackFinder(const TrackFinderConfig& config, TrackNetworks networks)
    : config_(config),
      threads_(new Threads{oneapi::tbb::task_arena(static_cast<int>(config.thread_count))}),
      networks_(std::move(networks)) {
    FARM_EXPECT(networks_.classifier != nullptr);
    FARM_EXPECT(networks_.embedder != nullptr || config_.graph_method != GraphMethod::radius);
}

TrackFinder::~TrackFinder() = default;

Result<FoundTracks> TrackFinder::find(const Points& features,
                                      std::span<const std::size_t> event_ends) {
    if (auto checked = check_points(features, "space points"); !checked) {
        return tl::unexpected(checked.error());
    }
    if (features.dimension_count != 3) {
        return fail(ErrorCode::invalid, "space points have " +
                                            std::to_string(features.dimension_count) +
                                            " features (r, phi, z are taken): send three");
    }
    if (features.size() > config_.point_limit) {
        return fail(ErrorCode::too_large, "there are " + std::to_string(features.size()) +
                                              " space points (the limit is " +
                                              std::to_string(config_.point_limit) +
                                              "): split the event");
    }
    event_ends_.assign(event_ends.begin(), event_ends.end());
    if (event_ends_.empty()) event_ends_ = {features.size()};
    FARM_EXPECT(std::ranges::is_sorted(event_ends_) && event_ends_.back() == features.size());

    return threads_->arena.execute([&] { return run_steps(features); });
}

Result<FoundTracks> TrackFinder::run_steps(const Points& features) {
    const std::pair<std::string_view, Step> steps[] = {{"embedding", &TrackFinder::embed},
                                                       {"graph", &TrackFinder::build_graph},
                                                       {"filter", &TrackFinder::filter},
                                                       {"classifier", &TrackFinder::classify},
                                                       {"tracks", &TrackFinder::build_tracks}};
    FoundTracks found;
    for (const auto& [name, step] : steps) {
        const auto begin = std::chrono::steady_clock::now();
        if (auto done = (this->*step)(features, found); !done) return tl::unexpected(done.error());
        found.stages.push_back(
            {name, std::chrono::steady_clock::now() - begin, found.edges.edges.size()});
    }
    return found;
}

Result<void> TrackFinder::embed(const Points& features, FoundTracks&) {
    embedding_ = {};
    if (config_.graph_method != GraphMethod::radius || features.size() == 0) return {};
    auto embedding = networks_.embedder->embed(features);
    if (!embedding) return tl::unexpected(embedding.error());
    if (embedding->points().size() != features.size()) {
        return fail(ErrorCode::internal,
                    "the embedding has " + std::to_string(embedding->points().size()) +
                        " points (it was made of " + std::to_string(features.size()) +
                        "): use a network that gives a row for each point");
    }
    if (auto checked = check_points(embedding->points(), "points of the embedding"); !checked) {
        return fail(ErrorCode::internal, checked.error().message);
    }
    embedding_ = std::move(*embedding);
    return {};
}

Result<Edges> TrackFinder::graph_of_event(const Points& features, const Points& embedded,
                                          std::size_t edge_limit) const {
    if (config_.graph_method == GraphMethod::radius) {
        RadiusGraphConfig config = config_.radius;
        config.edge_limit = edge_limit;
        return radius_graph(embedded, config);
    }
    DoubletConfig config = config_.doublets;
    config.edge_limit = edge_limit;
    return doublet_graph(features, config_.scales, config);
}

Result<void> TrackFinder::build_graph(const Points& features, FoundTracks& found) {
    const bool is_radius = config_.graph_method == GraphMethod::radius;
    const std::size_t limit = is_radius ? config_.radius.edge_limit : config_.doublets.edge_limit;
    Edges& edges = found.edges.edges;
    std::size_t begin = 0;
    for (const std::size_t end : event_ends_) {
        const Points embedded =
            embedding_.values.empty() ? Points{{}, 1} : part_of(embedding_.points(), begin, end);
        const auto graph =
            graph_of_event(part_of(features, begin, end), embedded, limit - edges.size());
        if (!graph) return tl::unexpected(graph.error());
        append_moved(edges.source, graph->source, begin);
        append_moved(edges.target, graph->target, begin);
        begin = end;
    }
    return {};
}

Result<void> TrackFinder::filter(const Points& features, FoundTracks& found) {
    found.graph = std::move(found.edges.edges);
    if (networks_.filter == nullptr) {
        found.edges.edges = found.graph;
        return {};
    }
    auto kept = classify_edges(*networks_.filter, features, found.graph.view(), config_.filter);
    if (!kept) return tl::unexpected(kept.error());
    found.edges = std::move(*kept);
    return {};
}

/// All edges keep their scores: the cut is the track builder's.
Result<void> TrackFinder::classify(const Points& features, FoundTracks& found) {
    EdgeClassifierConfig all = config_.classifier;
    all.cut = -1;
    auto scored = classify_edges(*networks_.classifier, features, found.edges.edges.view(), all);
    if (!scored) return tl::unexpected(scored.error());
    found.edges = std::move(*scored);
    return {};
}

Result<void> TrackFinder::build_tracks(const Points& features, FoundTracks& found) {
    auto tracks = tracks_of(features, found.edges);
    if (!tracks) return tl::unexpected(tracks.error());
    found.tracks = without_small_tracks(std::move(*tracks), config_.minimum_hit_count);
    number_by_event(found.tracks.labels, event_ends_);
    return {};
}

Result<Tracks> TrackFinder::tracks_of(const Points& features, const ScoredEdges& edges) const {
    const std::vector<float> distances = distances_of(features, config_.scales);
    if (config_.track_method == TrackMethod::walkthrough) {
        return walkthrough(edges, distances, config_.walkthrough);
    }
    ScoredEdges kept = edges_above(edges.edges.view(), edges.scores, config_.classifier.cut);
    if (config_.track_method == TrackMethod::junction_removal) {
        auto oriented = outward(std::move(kept.edges), distances);
        if (!oriented) return tl::unexpected(oriented.error());
        auto chains =
            junction_removal({std::move(*oriented), std::move(kept.scores)}, features.size());
        if (!chains) return tl::unexpected(chains.error());
        kept = std::move(*chains);
    }
    return connected_components(features.size(), kept.edges.view());
}

}  // namespace farm::tracking
