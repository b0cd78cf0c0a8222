#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/event_truth.h"

/// What a reconstruction is worth, each figure defined here and nowhere else.
///
/// A *cluster* is the hits of one label >= 0. Its *leading particle* is the one with most hits in
/// it (of equals the one listed first; noise is none), and its *majority particle* as well when
/// more than half of the cluster's hits are that particle's. It has *double majority* when it has 3
/// hits or more and a majority particle, more than half of whose hits in the event are in it. Two
/// clusters cannot both have it for one particle.
/// *Counted* clusters have 5 hits or more, and a selected majority particle or none: those of other
/// particles are neither right nor wrong, those of no particle are wrong (as in ACTS, whose
/// TrackTruthMatcher calls a track without a particle of more than half of its hits a fake).
/// gnn_tracking leaves such clusters out, too, when their leading particle is not selected; its
/// fake rate is the lower.
namespace farm {

inline constexpr std::uint32_t valid_cluster_hit_count = 3;
inline constexpr std::uint32_t counted_cluster_hit_count = 5;

inline constexpr std::array pt_bin_begins{0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0};
inline constexpr std::array abs_eta_bin_begins{0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5};

/// Counts, so that events can be added up; the rates follow from them and are 0 for 0 / 0.
struct TrackCounts {
    std::uint64_t particles{0};        ///< selected ones
    std::uint64_t double_majority{0};  ///< of them, with a cluster that has double majority
    std::uint64_t perfect{0};          ///< of them, with a cluster of all of its hits, > 99 % pure
    std::uint64_t clusters{0};         ///< counted ones
    std::uint64_t fakes{0};            ///< of them, without double majority
    std::uint64_t duplicates{0};       ///< of the fakes, see duplicate_rate()
    std::uint64_t majority_75{0};      ///< of the clusters, more than 75 % pure

    /// gnn_tracking (cluster_metrics.py, double majority) with its particle cuts.
    double double_majority_efficiency() const;
    /// gnn_tracking, "perfect".
    double perfect_efficiency() const;
    /// gnn_tracking, "lhc": of clusters, not of particles.
    double majority_75_efficiency() const;
    /// 1 - double majority, of the counted clusters (gnn_tracking, fake_double_majority, with more
    /// clusters counted).
    double fake_rate() const;
    /// Clusters more than half of which are a particle that has a better such cluster, one with
    /// more of its hits (ACTS TrackTruthMatcher, "Duplicate"); they are fakes as well.
    double duplicate_rate() const;

    TrackCounts& operator+=(const TrackCounts& other);
    friend bool operator==(const TrackCounts&, const TrackCounts&) = default;
};

/// Bins hold what is at or above their begin and below the next one's; the last has no end.
/// Clusters lie in the bin of their leading particle, be it selected or not; those of noise alone
/// in no bin.
struct TrackMetrics {
    TrackCounts all;
    std::array<TrackCounts, pt_bin_begins.size()> by_pt;
    std::array<TrackCounts, abs_eta_bin_begins.size()> by_abs_eta;
    double good_weight{0}, total_weight{0};

    /// TrackML challenge (score.py of its library): weight of the leader's hits in clusters that
    /// are more than half one particle and hold more than half of it, by the weight of all hits. It
    /// is for all particles, whatever the selection, and clusters of any size.
    double trackml_score() const;

    TrackMetrics& operator+=(const TrackMetrics& other);
};

/// labels[i] is the cluster of hit i; negative ones are in no cluster. Error: invalid for another
/// number of labels than hits.
Result<TrackMetrics> track_metrics(const EventTruth& truth, std::span<const std::int64_t> labels);

enum class ClusterVerdict : std::uint8_t {
    found,  ///< double majority, of a selected particle
    fake,   ///< counted, without double majority
    other,  ///< neither right nor wrong
};

/// What the metrics make of one event, to show it.
struct TrackVerdicts {
    std::map<std::int64_t, ClusterVerdict> clusters;  ///< by label
    std::vector<std::uint32_t> missed;  ///< indices of selected particles without a found cluster
};

/// Error: that of track_metrics().
Result<TrackVerdicts> track_verdicts(const EventTruth& truth, std::span<const std::int64_t> labels);

/// Edge k joins hits a[k] and b[k], in either direction.
struct EdgeView {
    std::span<const std::int32_t> a, b;
};

/// A *true edge* joins two hits of a particle that follow each other by distance from its vertex
/// (acorn); it is a *target* when the particle is selected.
struct EdgeMetrics {
    std::uint64_t edges{0};
    std::uint64_t true_edges{0};           ///< of the edges
    std::uint64_t same_particle_edges{0};  ///< of the edges; true ones and those that skip a hit
    std::uint64_t other_true_edges{0};     ///< of the true edges, those that are no target
    std::uint64_t targets{0};              ///< of the event
    std::uint64_t found_targets{0};        ///< of these, those among the edges, each once

    double efficiency() const;            ///< found targets / targets
    double purity() const;                ///< true edges / edges
    double masked_purity() const;         ///< the same without the true edges that are no target
    double same_particle_purity() const;  ///< edges within one particle / edges

    EdgeMetrics& operator+=(const EdgeMetrics& other);
};

/// Error: invalid for sides of different lengths, and for a hit that is not there.
Result<EdgeMetrics> edge_metrics(const EventTruth& truth, EdgeView edges);

}  // namespace farm
