#include "gpu_worker/backends/track_finders.h"

#include <utility>

#include "gpu_worker/backends/track_networks.h"

namespace farm {

namespace {

/// Null for a stage that needs none.
struct StageModels {
    std::shared_ptr<LoadedModel> embedding;
    std::shared_ptr<LoadedModel> filter;
    std::shared_ptr<LoadedModel> classifier;
};

Result<StageModels> load_stages(const ModelSource& source, const TracksSettings& settings,
                                const Device& device) {
    using Loaded = Result<std::shared_ptr<LoadedModel>>;
    auto embedding = settings.embedding_file.empty()
                         ? Loaded(nullptr)
                         : load_embedding_network(source, settings.embedding_file, device);
    if (!embedding) return tl::unexpected(embedding.error());
    auto filter = settings.filter_file.empty() ? Loaded(nullptr)
                                               : load_edge_network(source, settings.filter_file,
                                                                   settings.filter_input, device);
    if (!filter) return tl::unexpected(filter.error());
    auto classifier =
        load_edge_network(source, settings.classifier_file, EdgeNetworkInput::graph, device);
    if (!classifier) return tl::unexpected(classifier.error());
    return StageModels{std::move(*embedding), std::move(*filter), std::move(*classifier)};
}

class CpuTrackFinders final : public TrackFinders {
  public:
    CpuTrackFinders(TracksSettings settings, StageModels stages)
        : settings_(std::move(settings)), stages_(std::move(stages)) {}

    Result<std::unique_ptr<tracking::TrackFinder>> make() override {
        tracking::TrackNetworks networks;
        if (stages_.embedding != nullptr) {
            auto instance = stages_.embedding->make_instance();
            if (!instance) return tl::unexpected(instance.error());
            networks.embedder = make_embedder(std::move(*instance));
        }
        if (stages_.filter != nullptr) {
            auto instance = stages_.filter->make_instance();
            if (!instance) return tl::unexpected(instance.error());
            networks.filter = make_edge_scorer(std::move(*instance), settings_.filter_input);
        }
        auto instance = stages_.classifier->make_instance();
        if (!instance) return tl::unexpected(instance.error());
        networks.classifier = make_edge_scorer(std::move(*instance), EdgeNetworkInput::graph);
        return std::make_unique<tracking::CpuTrackFinder>(settings_.finder, std::move(networks));
    }

  private:
    TracksSettings settings_;
    StageModels stages_;
};

}  // namespace

Result<std::unique_ptr<TrackFinders>> load_track_finders(const ModelSource& source,
                                                         const TracksSettings& settings,
                                                         const Device& device) {
    auto stages = load_stages(source, settings, device);
    if (!stages) return tl::unexpected(stages.error());
    return std::make_unique<CpuTrackFinders>(settings, std::move(*stages));
}

}  // namespace farm
