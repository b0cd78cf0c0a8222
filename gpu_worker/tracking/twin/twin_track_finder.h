#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpu_worker/tracking/track_finder.h"
#include "gpu_worker/tracking/twin/components_twin.h"
#include "gpu_worker/tracking/twin/junction_removal_twin.h"
#include "gpu_worker/tracking/twin/radius_graph_twin.h"
#include "gpu_worker/tracking/twin/score_steps.h"
#include "gpu_worker/tracking/twin/twin_networks.h"
#include "gpu_worker/tracking/twin/walkthrough_twin.h"

namespace farm::tracking::twin {

/// The whole reconstruction on a device: space points go there and labels come back; in between
/// the host waits for the numbers of edges of graph and filter alone. The same tracks as those of
/// the processor for the same scores. Of GraphMethod::radius.
template <Execution E>
class TwinTrackFinder final : public TrackFinder {
  public:
    /// The last as walkthrough() has it.
    TwinTrackFinder(const TrackFinderConfig& config, TwinNetworks networks, E run,
                    Index looks_of_a_lane = walk_look_limit)
        : config_(config),
          networks_(std::move(networks)),
          run_(std::move(run)),
          looks_of_a_lane_(looks_of_a_lane) {}

    Result<FoundTracks> find(const Points& features, std::span<const std::size_t> event_ends,
                             KeepEdges keep) override {
        if (auto checked = check_space_points(features, config_.point_limit); !checked) {
            return tl::unexpected(checked.error());
        }
        Event event(run_, features, event_ends);
        FoundTracks found;
        const WaitAtEnd wait(run_);
        const auto done = find(event, features, keep, found);
        run_.wait();  // what the device says of a failure goes first
        if (!done) return tl::unexpected(done.error());
        return found;
    }

  private:
    /// One call on its way through the stages, in memory of the device.
    struct Event {
        Event(E& run, const Points& points, std::span<const std::size_t> given_ends)
            : host_event_ends(ends_of(points, given_ends)),
              features(run.template array<float>(points.values.size())),
              event_ends(run.template array<Index>(host_event_ends.size())),
              first_bad(run.template array<unsigned long long>(1)),
              graph(no_edges(run)),
              edges(no_edges(run)),
              scores(run.template array<float>(0)),
              labels{run.template array<Label>(0), run.template array<Index>(1)} {}
        PointRows points() const { return {features.data(), features.size() / 3, 3}; }

        std::vector<Index> host_event_ends;
        Array<E, float> features;
        Array<E, Index> event_ends;
        FirstBad<E> first_bad;
        NetworkOutput embedding{};
        EdgeArrays<E> graph;  ///< what the filter looked at
        EdgeArrays<E> edges;
        Array<E, float> scores;
        TrackLabels<E> labels;
        const Index* is_given_up{nullptr};  ///< fetched, of a walk
    };
    using Stage = Result<void> (TwinTrackFinder::*)(Event&);

    Result<void> find(Event& event, const Points& features, KeepEdges keep, FoundTracks& found) {
        upload(event, features);
        run_.mark(0);
        for (const auto& [name, stage] : stages) {
            if (features.size() != 0) {
                if (auto done = (this->*stage)(event); !done) return done;
            }
            found.stages.push_back({name, {}, event.edges.size()});
            run_.mark(found.stages.size());
        }
        return collect(event, keep, found);
    }

    void upload(Event& event, const Points& points) {
        run_.upload(event.features, points.values.data(), points.values.size());
        run_.upload(event.event_ends, event.host_event_ends.data(), event.host_event_ends.size());
        run_.fill(event.first_bad, std::byte{0xff});
        run_.zero(event.labels.numbers);
    }

    Result<void> embed(Event& event) {
        auto embedding = networks_.embedder->embed(event.points());
        if (!embedding) return tl::unexpected(embedding.error());
        const PointRows rows = embedding->rows();
        if (auto checked =
                check_embedding_shape(rows.size, rows.dimension_count, event.points().size);
            !checked) {
            return checked;
        }
        find_not_finite(run_, rows.values, rows.size * rows.dimension_count, event.first_bad);
        event.embedding = std::move(*embedding);
        return {};
    }

    /// The graph waits for the device anyway: with it comes whether the embedding was good.
    Result<void> build_graph(Event& event) {
        const PointRows rows = event.embedding.rows();
        const auto* first_bad = run_.fetch(event.first_bad, 0);
        auto graph = radius_graph(run_, rows, event.event_ends, config_.radius);
        if (const auto bad = number_of(*first_bad)) {
            return fail_embedding(*bad / rows.dimension_count, *bad % rows.dimension_count);
        }
        if (!graph) return tl::unexpected(graph.error());
        event.edges = std::move(*graph);
        event.embedding = {};
        return {};
    }

    Result<void> filter(Event& event) {
        if (networks_.filter == nullptr) return {};
        const auto scores = score(*networks_.filter, event, config_.filter);
        if (!scores) return tl::unexpected(scores.error());
        auto flags = no_flags(run_, event.edges.size());
        flag_above(run_, *scores, config_.filter.cut, flags);
        event.graph = std::exchange(event.edges, selected_edges(run_, event.edges.list(), flags));
        return {};
    }

    /// All edges keep their scores: the cut is the track builder's. Whether one is NaN is asked at
    /// the end, when the host waits anyway; until then it is below every cut.
    Result<void> classify(Event& event) {
        auto scores = score(*networks_.classifier, event, config_.classifier);
        if (!scores) return tl::unexpected(scores.error());
        event.scores = std::move(*scores);
        return {};
    }

    Result<void> build_tracks(Event& event) {
        label(event, tracks_of(event));
        return {};
    }

    void label(Event& event, const Array<E, Index>& tracks) {
        event.labels = track_labels(run_, tracks, event.event_ends, config_.minimum_hit_count);
    }

    Result<Array<E, float>> score(TwinEdgeScorer& network, Event& event,
                                  const EdgeClassifierConfig& config) {
        const EdgeList all = event.edges.list();
        auto scores = run_.template array<float>(all.size);
        const std::size_t step = config.chunk_edge_count == 0 ? all.size : config.chunk_edge_count;
        for (std::size_t begin = 0; begin < all.size; begin += step) {
            const std::size_t count = std::min(step, all.size - begin);
            const EdgeList chunk{all.source + begin, all.target + begin, count};
            const auto logits = logits_of(network, event, chunk, config.undirected);
            if (!logits) return tl::unexpected(logits.error());
            write_probabilities(run_, logits->values, count, begin, scores, event.first_bad);
        }
        return scores;
    }

    Result<NetworkOutput> logits_of(TwinEdgeScorer& network, const Event& event,
                                    const EdgeList& edges, bool undirected) {
        const auto doubled = undirected ? both_ways(run_, edges) : no_edges(run_);
        const EdgeList asked = undirected ? doubled.list() : edges;
        auto logits = network.score(event.points(), asked);
        if (!logits) return logits;
        if (auto checked = check_score_count(logits->size, asked.size); !checked) {
            return fail(ErrorCode::internal, checked.error().message);
        }
        return logits;
    }

    Array<E, Index> tracks_of(Event& event) {
        const PointRows points = event.points();
        const EdgeList edges = event.edges.list();
        const float* scores = event.scores.data();
        const float cut = config_.classifier.cut;
        const auto distances = square_distances(run_, points, config_.scales);
        switch (config_.track_method) {
            case TrackMethod::walkthrough: {
                auto walked = walkthrough(run_, distances.data(), points.size, edges, scores,
                                          config_.walkthrough, looks_of_a_lane_);
                event.is_given_up = run_.fetch(walked.is_given_up, 0);
                return std::move(walked.tracks);
            }
            case TrackMethod::junction_removal: {
                const auto flags =
                    junction_removal(run_, distances.data(), points.size, edges, scores, cut);
                return component_roots(run_, points.size, edges, FlaggedEdges{flags.data()});
            }
            case TrackMethod::components: break;
        }
        return component_roots(run_, points.size, edges, EdgesAbove{scores, cut});
    }

    Result<void> collect(Event& event, KeepEdges keep, FoundTracks& found) {
        const auto* first_bad = run_.fetch(event.first_bad, 0);
        take_tracks(event, found.tracks);
        if (const auto bad = number_of(*first_bad)) {
            return fail(ErrorCode::internal, nan_score(*bad).message);
        }
        if (event.is_given_up != nullptr && *event.is_given_up != 0) {
            if (auto walked = walk_on_processor(event); !walked) return walked;
            run_.mark(stages.size());
            take_tracks(event, found.tracks);
        }
        for (std::size_t i = 0; i < stages.size(); ++i) {
            found.stages[i].time = run_.between(i, i + 1);
        }
        if (keep == KeepEdges::yes) take_edges(event, found);
        return {};
    }

    void take_tracks(const Event& event, Tracks& tracks) {
        const auto& numbers = event.labels.numbers;
        const Index* count = run_.fetch(numbers, numbers.size() - 1);
        download(event.labels.labels, tracks.labels);
        run_.wait();
        tracks.count = *count;
    }

    void take_edges(const Event& event, FoundTracks& found) {
        download(event.edges, found.edges.edges);
        download(event.scores, found.edges.scores);
        if (networks_.filter != nullptr) download(event.graph, found.graph);
        run_.wait();
        if (networks_.filter == nullptr) found.graph = found.edges.edges;
    }

    Result<void> walk_on_processor(Event& event) {
        const PointRows points = event.points();
        const auto distances = square_distances(run_, points, config_.scales);
        const auto tracks =
            walked_by_processor(run_, distances.data(), points.size, event.edges.list(),
                                event.scores.data(), config_.walkthrough);
        if (!tracks) return fail(ErrorCode::internal, tracks.error().message);
        label(event, *tracks);
        return {};
    }

    /// One event where none is given.
    static std::vector<Index> ends_of(const Points& points, std::span<const std::size_t> given) {
        if (given.empty()) return {static_cast<Index>(points.size())};
        return {given.begin(), given.end()};
    }

    static Result<void> fail_embedding(std::size_t point, std::size_t coordinate) {
        return fail(ErrorCode::internal,
                    "points of the embedding: coordinate " + std::to_string(coordinate) +
                        " of point " + std::to_string(point) +
                        " is not finite (it must be): check the network's weights and the scales "
                        "of its features");
    }

    static std::optional<std::size_t> number_of(unsigned long long first_bad) {
        return first_bad == ~0ULL ? std::nullopt : std::optional<std::size_t>(first_bad);
    }

    static EdgeArrays<E> no_edges(E& run) {
        return {run.template array<Index>(0), run.template array<Index>(0)};
    }

    template <class Number>
    void download(const Array<E, Number>& numbers, std::vector<Number>& host) {
        host.resize(numbers.size());
        run_.download(host.data(), numbers.data(), numbers.size());
    }
    void download(const EdgeArrays<E>& edges, Edges& host) {
        download(edges.source, host.source);
        download(edges.target, host.target);
    }

    static constexpr std::array<std::pair<std::string_view, Stage>, 5> stages = {
        {{"embedding", &TwinTrackFinder::embed},
         {"graph", &TwinTrackFinder::build_graph},
         {"filter", &TwinTrackFinder::filter},
         {"classifier", &TwinTrackFinder::classify},
         {"tracks", &TwinTrackFinder::build_tracks}}};

    TrackFinderConfig config_;
    TwinNetworks networks_;
    E run_;
    Index looks_of_a_lane_;
};

}  // namespace farm::tracking::twin
