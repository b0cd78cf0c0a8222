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
void number_by_event(std::vector<Label>& labels, std::span<const std::size_t> event_ends) {
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

Result<void> check_space_points(const Points& features, std::size_t point_limit) {
    if (auto checked = check_points(features, "space points"); !checked) return checked;
    if (features.dimension_count != 3) {
        return fail(ErrorCode::invalid, "space points have " +
                                            std::to_string(features.dimension_count) +
                                            " features (r, phi, z are taken): send three");
    }
    if (features.size() > point_limit) {
        return fail(ErrorCode::too_large, "there are " + std::to_string(features.size()) +
                                              " space points (the limit is " +
                                              std::to_string(point_limit) + "): split the event");
    }
    return {};
}

Result<void> check_embedding_shape(std::size_t row_count, std::size_t dimension_count,
                                   std::size_t point_count) {
    if (row_count != point_count) {
        return fail(ErrorCode::internal, "the embedding has " + std::to_string(row_count) +
                                             " points (it was made of " +
                                             std::to_string(point_count) +
                                             "): use a network that gives a row for each point");
    }
    if (dimension_count < 1 || dimension_count > limits::dimension_count) {
        return fail(ErrorCode::internal, "the embedding has " + std::to_string(dimension_count) +
                                             " dimensions (the limits are 1 and " +
                                             std::to_string(limits::dimension_count) +
                                             "): use one of another width");
    }
    return {};
}

struct CpuTrackFinder::Threads {
    oneapi::tbb::task_arena arena;
};

/// One call on its way through the steps.
struct CpuTrackFinder::Run {
    Points features;
    std::span<const std::size_t> event_ends;
    KeepEdges keep;
    Embedding embedding{};
    Edges graph{};  ///< before the filter, once that has dropped edges and if they are kept
    ScoredEdges edges{};
    Tracks tracks{};
};

CpuTrackFinder::CpuTrackFinder(const TrackFinderConfig& config, TrackNetworks networks)
    : config_(config),
      threads_(new Threads{oneapi::tbb::task_arena(static_cast<int>(config.thread_count))}),
      networks_(std::move(networks)) {
    FARM_EXPECT(networks_.classifier != nullptr);
    FARM_EXPECT(networks_.embedder != nullptr || config_.graph_method != GraphMethod::radius);
}

CpuTrackFinder::~CpuTrackFinder() = default;

Result<FoundTracks> CpuTrackFinder::find(const Points& features,
                                         std::span<const std::size_t> event_ends, KeepEdges keep) {
    if (auto checked = check_space_points(features, config_.point_limit); !checked) {
        return tl::unexpected(checked.error());
    }
    const std::size_t end = features.size();
    if (event_ends.empty()) event_ends = {&end, 1};
    FARM_EXPECT(std::ranges::is_sorted(event_ends) && event_ends.back() == end);

    Run run{features, event_ends, keep};
    return threads_->arena.execute([&] { return run_steps(run); });
}

Result<FoundTracks> CpuTrackFinder::run_steps(Run& run) {
    const std::pair<std::string_view, Step> steps[] = {{"embedding", &CpuTrackFinder::embed},
                                                       {"graph", &CpuTrackFinder::build_graph},
                                                       {"filter", &CpuTrackFinder::filter},
                                                       {"classifier", &CpuTrackFinder::classify},
                                                       {"tracks", &CpuTrackFinder::build_tracks}};
    std::vector<StageReport> stages;
    for (const auto& [name, step] : steps) {
        const auto begin = std::chrono::steady_clock::now();
        if (auto done = (this->*step)(run); !done) return tl::unexpected(done.error());
        stages.push_back({name, std::chrono::steady_clock::now() - begin, run.edges.edges.size()});
    }
    if (run.keep == KeepEdges::no)
        return FoundTracks{std::move(run.tracks), {}, {}, std::move(stages)};
    if (networks_.filter == nullptr) run.graph = run.edges.edges;
    return FoundTracks{std::move(run.tracks), std::move(run.graph), std::move(run.edges),
                       std::move(stages)};
}

Result<void> CpuTrackFinder::embed(Run& run) {
    const std::size_t count = run.features.size();
    if (config_.graph_method != GraphMethod::radius || count == 0) return {};
    auto embedding = networks_.embedder->embed(run.features);
    if (!embedding) return tl::unexpected(embedding.error());
    const Points rows = embedding->points();
    if (auto checked = check_embedding_shape(rows.size(), rows.dimension_count, count); !checked) {
        return checked;
    }
    if (auto checked = check_points(rows, "points of the embedding"); !checked) {
        return fail(ErrorCode::internal, checked.error().message);
    }
    run.embedding = std::move(*embedding);
    return {};
}

Result<Edges> CpuTrackFinder::graph_of_event(const Points& features, const Points& embedded,
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

Result<void> CpuTrackFinder::build_graph(Run& run) {
    const Embedding embedding = std::exchange(run.embedding, {});  // it is needed here alone
    const bool is_radius = config_.graph_method == GraphMethod::radius;
    const std::size_t limit = is_radius ? config_.radius.edge_limit : config_.doublets.edge_limit;
    Edges& edges = run.edges.edges;
    std::size_t begin = 0;
    for (const std::size_t end : run.event_ends) {
        const Points embedded =
            embedding.values.empty() ? Points{{}, 1} : part_of(embedding.points(), begin, end);
        const auto graph =
            graph_of_event(part_of(run.features, begin, end), embedded, limit - edges.size());
        if (!graph) return tl::unexpected(graph.error());
        append_moved(edges.source, graph->source, begin);
        append_moved(edges.target, graph->target, begin);
        begin = end;
    }
    return {};
}

Result<void> CpuTrackFinder::filter(Run& run) {
    if (networks_.filter == nullptr) return {};
    auto kept =
        classify_edges(*networks_.filter, run.features, run.edges.edges.view(), config_.filter);
    if (!kept) return tl::unexpected(kept.error());
    if (run.keep == KeepEdges::yes) run.graph = std::move(run.edges.edges);
    run.edges.edges = std::move(kept->edges);
    return {};
}

/// All edges keep their scores: the cut is the track builder's.
Result<void> CpuTrackFinder::classify(Run& run) {
    auto scores = score_edges(*networks_.classifier, run.features, run.edges.edges.view(),
                              config_.classifier);
    if (!scores) return tl::unexpected(scores.error());
    run.edges.scores = std::move(*scores);
    return {};
}

Result<void> CpuTrackFinder::build_tracks(Run& run) {
    auto tracks = tracks_of(run.features, run.edges);
    if (!tracks) return tl::unexpected(tracks.error());
    run.tracks = without_small_tracks(std::move(*tracks), config_.minimum_hit_count);
    number_by_event(run.tracks.labels, run.event_ends);
    return {};
}

Result<Tracks> CpuTrackFinder::tracks_of(const Points& features, const ScoredEdges& edges) const {
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
