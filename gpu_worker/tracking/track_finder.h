#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "gpu_worker/tracking/doublet_graph.h"
#include "gpu_worker/tracking/edge_classifier.h"
#include "gpu_worker/tracking/edges.h"
#include "gpu_worker/tracking/networks.h"
#include "gpu_worker/tracking/radius_graph.h"
#include "gpu_worker/tracking/walkthrough.h"

namespace farm::tracking {

enum class GraphMethod : std::uint8_t { radius, doublets };
enum class TrackMethod : std::uint8_t { components, junction_removal, walkthrough };

struct TrackFinderConfig {
    SpacePointScales scales{};  ///< of the features, to know where a point lies
    GraphMethod graph_method{GraphMethod::radius};
    RadiusGraphConfig radius{};
    DoubletConfig doublets{};
    EdgeClassifierConfig filter{.cut = 0.21F, .chunk_edge_count = 65'536};
    /// `cut` is what junction removal and components take edges by; the walk has its own cuts.
    EdgeClassifierConfig classifier{.cut = 0.75F};
    TrackMethod track_method{TrackMethod::components};
    WalkthroughConfig walkthrough{};
    std::size_t minimum_hit_count{1};  ///< smaller tracks become no_track
    std::size_t point_limit{500'000};  ///< of all events together
    std::size_t thread_count{1};       ///< of the stages here; the networks have their own
};

/// The networks of a track finder. `embedder` is needed for GraphMethod::radius only; without a
/// filter all edges of the graph go on.
struct TrackNetworks {
    std::unique_ptr<Embedder> embedder;
    std::unique_ptr<EdgeScorer> filter;
    std::unique_ptr<EdgeScorer> classifier;
};

struct StageReport {
    std::string_view name;
    std::chrono::nanoseconds time{0};
    std::size_t edge_count{0};  ///< that the stage left
};

/// What a caller wants beside the tracks.
enum class KeepEdges : std::uint8_t { no, yes };

struct FoundTracks {
    Tracks tracks;      ///< numbered from 0 in each event
    Edges graph;        ///< before the filter; with KeepEdges::yes
    ScoredEdges edges;  ///< that the classifier scored; with KeepEdges::yes
    std::vector<StageReport> stages;
};

/// Errors: invalid for features that are not three or not finite, too_large beyond a limit.
Result<void> check_space_points(const Points& features, std::size_t point_limit);

/// Errors: internal, a fault of the network, unless it gives a row for each point.
Result<void> check_embedding_shape(std::size_t row_count, std::size_t dimension_count,
                                   std::size_t point_count);

/// The whole reconstruction: embedding, graph, filter, edge classifier, track building.
///
/// Several events are one disjoint union: no stage joins points of two of them, so what an event
/// gets does not depend on its company, but for the rounding of sums in the networks. One thread
/// calls an object at a time; several objects work side by side. The limits of points and edges are
/// those of all events together. Errors: those of the stages; too_large beyond a limit; internal
/// for an embedding or scores that cannot be, which is a fault of the networks.
class TrackFinder {
  public:
    virtual ~TrackFinder() = default;

    /// `features`: space points (r, phi, z) in the units of the networks. `event_ends`: where each
    /// event ends, ascending up to the number of points; one event when it is empty.
    virtual Result<FoundTracks> find(const Points& features,
                                     std::span<const std::size_t> event_ends, KeepEdges keep) = 0;
};

/// On the processor.
class CpuTrackFinder final : public TrackFinder {
  public:
    /// Requires the networks that the configuration needs.
    CpuTrackFinder(const TrackFinderConfig& config, TrackNetworks networks);
    ~CpuTrackFinder() override;

    Result<FoundTracks> find(const Points& features, std::span<const std::size_t> event_ends = {},
                             KeepEdges keep = KeepEdges::yes) override;

  private:
    struct Threads;
    struct Run;
    using Step = Result<void> (CpuTrackFinder::*)(Run&);

    Result<FoundTracks> run_steps(Run& run);
    Result<void> embed(Run& run);
    Result<void> build_graph(Run& run);
    Result<void> filter(Run& run);
    Result<void> classify(Run& run);
    Result<void> build_tracks(Run& run);

    Result<Edges> graph_of_event(const Points& features, const Points& embedded,
                                 std::size_t edge_limit) const;
    Result<Tracks> tracks_of(const Points& features, const ScoredEdges& edges) const;

    TrackFinderConfig config_;
    std::unique_ptr<Threads> threads_;
    TrackNetworks networks_;
};

}  // namespace farm::tracking
