#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cpu_client/app/track_service.h"

namespace farm {

/// The tracks of several events, added up. A value.
class TrackSummary {
  public:
    void add(const FoundTracks& found);

    std::uint64_t event_count() const { return events_; }
    std::uint64_t hit_count() const { return hits_; }
    std::uint64_t track_count() const { return tracks_; }
    /// Sums over the events; empty when none told of its stages.
    const std::vector<TrackStage>& stages() const { return stages_; }
    /// With truth.
    const std::optional<TrackMetrics>& metrics() const { return metrics_; }

  private:
    std::uint64_t events_{0}, hits_{0}, tracks_{0};
    std::vector<TrackStage> stages_;
    std::optional<TrackMetrics> metrics_;
};

/// "pT >= 1 GeV, >= 5 hits, |eta| <= 4".
std::string selection_text(const ParticleSelection& selection);

/// For people; lines of at most 80 columns. Time and edges of the stages are means per event.
std::string track_text(const TrackSummary& summary, const ParticleSelection& selection);

/// {"events", "hits", "particles", "tracks", "selection": {...}, "double_majority_efficiency",
/// "perfect_efficiency", "majority_75_efficiency", "fake_rate", "duplicate_rate", "trackml_score",
/// "stages": [{"name", "ms", "edges", "edge_efficiency", "edge_purity",
/// "edge_same_particle_purity"}], "bins": {"pt": [...], "abs_eta": [...]}}; null for what is not
/// known. Definitions: truth_metrics.h. Of the stages, ms and edges are means per event.
std::string track_json(const TrackSummary& summary, const ParticleSelection& selection);

}  // namespace farm
