#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cpu_client/events/hit_features.h"
#include "cpu_client/events/truth_metrics.h"
#include "cpu_client/lib/client.h"

namespace farm {

/// What one stage of track finding did to one event, or to several.
struct TrackStage {
    std::string name;
    double ms{0};
    std::optional<std::uint64_t> edge_count{};  ///< that it left
    std::optional<EdgeMetrics> edges{};         ///< with truth
};

/// Edges with a score above this are the classifier's, where its edges are counted. The track
/// builder has cuts of its own.
inline constexpr float shown_score_cut = 0.5F;

/// The tracks of one event.
struct FoundTracks {
    std::vector<std::int64_t> labels;  ///< of each hit; negative: no track
    std::uint64_t track_count{0};      ///< of at least valid_cluster_hit_count hits
    std::vector<TrackStage> stages;    ///< empty when the service does not tell
    std::optional<TrackMetrics> metrics{};
};

/// A track finding service of the farm: FEATURES in, LABELS out, and what more it offers
/// (gpu_worker/backends/tracks_backend.h). A value, for any number of threads.
class TrackService {
  public:
    /// `scales`: of its FEATURES, where it does not tell them itself or tells them wrongly. Errors:
    /// those of find_model(); invalid for a model that is no such service.
    static Result<TrackService> find(Client& client, const std::string& model,
                                     const std::optional<FeatureScales>& scales,
                                     std::chrono::nanoseconds timeout);

    const std::string& name() const { return name_; }
    /// What is sent for an event. `with_edges`: for a later read() with truth.
    Inputs inputs(const std::vector<Hit>& hits, bool with_edges) const;
    /// The answer to inputs(); `truth` may be null. Error: invalid for an answer that does not fit
    /// the event.
    static Result<FoundTracks> read(const Inference& answer, std::size_t hit_count,
                                    const EventTruth* truth);

  private:
    std::string name_;
    FeatureScales scales_;
    bool asks_for_edges_{false};
};

}  // namespace farm
