#include "cpu_client/app/track_service.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "cpu_client/app/connection.h"
#include "schemas/track_stages.h"

namespace farm {

namespace {

constexpr std::string_view features_name = "FEATURES";
constexpr std::string_view labels_name = "LABELS";
constexpr std::string_view wish_name = "EDGES_WANTED";
enum Stage : std::size_t { embedding, graph, filter, classifier, tracks, stage_count };
static_assert(track_stage_names.size() == stage_count);
constexpr double largest_stage_number = 9'007'199'254'740'992;  // 2^53: doubles skip integers above

bool has(const std::vector<TensorSpec>& specs, std::string_view name, DType type) {
    return std::ranges::any_of(
        specs, [&](const TensorSpec& spec) { return spec.name == name && spec.type == type; });
}

Input as_input(Tensor tensor) {
    return {tensor.desc.name, {tensor.desc.type, tensor.desc.shape, std::move(tensor.data)}};
}

std::uint64_t count_tracks(std::span<const std::int64_t> labels) {
    std::unordered_map<std::int64_t, std::uint32_t> hits;
    for (const std::int64_t label : labels) {
        if (label >= 0) ++hits[label];
    }
    return static_cast<std::uint64_t>(std::ranges::count_if(
        hits, [](const auto& track) { return track.second >= valid_cluster_hit_count; }));
}

tl::unexpected<Error> unfit(const std::string& problem, const std::string& rule) {
    return fail(ErrorCode::invalid, "the answer has " + problem + " (" + rule +
                                        "): is the model a track finding service?");
}

/// Ends of edges, [2, edges] of either integer type; both halves have one length.
struct EdgeEnds {
    std::vector<std::int32_t> a, b;
};

/// What is no index of any hit becomes -1, which the metrics refuse.
template <class Index>
std::int32_t hit_of(Index index) {
    return std::in_range<std::int32_t>(index) ? static_cast<std::int32_t>(index) : -1;
}

template <class Index>
EdgeEnds halves(std::span<const Index> ends) {
    const auto middle = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 2);
    EdgeEnds edges;
    std::transform(ends.begin(), middle, std::back_inserter(edges.a), hit_of<Index>);
    std::transform(middle, ends.end(), std::back_inserter(edges.b), hit_of<Index>);
    return edges;
}

Result<EdgeEnds> above(const EdgeEnds& edges, std::span<const float> scores) {
    if (scores.size() != edges.a.size()) {
        return unfit(fmt::format("{} SCORES", scores.size()),
                     fmt::format("it has {} EDGES", edges.a.size()));
    }
    EdgeEnds kept;
    for (std::size_t k = 0; k < scores.size(); ++k) {
        if (!(scores[k] > shown_score_cut)) continue;
        kept.a.push_back(edges.a[k]);
        kept.b.push_back(edges.b[k]);
    }
    return kept;
}

Result<std::vector<TrackStage>> read_stages(const Inference& answer) {
    if (!answer.output("STAGES").exists()) return std::vector<TrackStage>{};
    const auto numbers = answer.output("STAGES").as<double>();
    if (!numbers) return tl::unexpected(numbers.error());
    if (numbers->size() != 2 * stage_count) {
        return unfit(fmt::format("{} numbers in STAGES", numbers->size()),
                     fmt::format("milliseconds and edges of {} stages", +stage_count));
    }
    for (const double number : *numbers) {
        if (number >= 0 && number <= largest_stage_number) continue;  // not so for NaN
        return unfit(fmt::format("{} in STAGES", number),
                     fmt::format("numbers there are 0 to {:.0f}", largest_stage_number));
    }
    std::vector<TrackStage> stages;
    for (std::size_t i = 0; i < stage_count; ++i) {
        stages.push_back({std::string(track_stage_names[i]), (*numbers)[2 * i]});
    }
    for (const Stage stage : {graph, filter}) {
        stages[stage].edge_count = static_cast<std::uint64_t>((*numbers)[2 * stage + 1]);
    }
    return stages;
}

Result<void> judge(TrackStage& stage, const EventTruth& truth, const EdgeEnds& edges) {
    auto metrics = edge_metrics(truth, {edges.a, edges.b});
    if (!metrics) return tl::unexpected(metrics.error());
    stage.edge_count = metrics->edges;
    stage.edges = *metrics;
    return {};
}

/// What the edges that came along say of the stages.
Result<void> judge_stages(std::vector<TrackStage>& stages, const Inference& answer,
                          const EventTruth& truth) {
    if (stages.empty()) return {};
    if (const auto ends = answer.output("GRAPH_EDGES").as<std::int32_t>()) {
        const auto judged = judge(stages[graph], truth, halves(*ends));
        if (!judged) return judged;
    }
    const auto ends = answer.output("EDGES").as<std::int64_t>();
    const auto scores = answer.output("SCORES").as<float>();
    if (!ends || !scores) return {};
    const EdgeEnds edges = halves(*ends);
    const auto kept = above(edges, *scores);
    if (!kept) return tl::unexpected(kept.error());
    return judge(stages[filter], truth, edges).and_then([&] {
        return judge(stages[classifier], truth, *kept);
    });
}

/// As it says, or those of the Exa.TrkX service.
Result<FeatureScales> told_scales(const ServiceAd& ad) {
    const auto label = std::ranges::find(ad.labels, feature_scales_label, &Label::key);
    if (label == ad.labels.end()) return FeatureScales{};
    auto scales = parse_feature_scales(label->value);
    if (scales) return scales;
    return fail(ErrorCode::invalid, "service '" + service_name(ad.model, ad.version) + "': label " +
                                        label->key + ": " + scales.error().message +
                                        ": give them with --scales");
}

}  // namespace

Result<TrackService> TrackService::find(Client& client, const std::string& model,
                                        const std::optional<FeatureScales>& scales,
                                        std::chrono::nanoseconds timeout) {
    const auto entry = find_model(client, model, timeout);
    if (!entry) return tl::unexpected(entry.error());
    const ServiceAd& ad = entry->service;
    if (!ad.failure.empty()) {
        return fail(ErrorCode::invalid, "model '" + model + "' did not load: " + ad.failure);
    }
    if (!has(ad.signature.inputs, features_name, dtype::f32) ||
        !has(ad.signature.outputs, labels_name, dtype::i64)) {
        return fail(ErrorCode::invalid,
                    "model '" + model +
                        "' is no track finding service (those have an input FEATURES, float32, and "
                        "an output LABELS, int64): give another with --model");
    }
    TrackService service;
    service.name_ = service_name(ad.model, ad.version);
    const auto told = told_scales(ad);
    if (!scales && !told) return tl::unexpected(told.error());
    service.scales_ = scales ? *scales : *told;
    service.asks_for_edges_ = has(ad.signature.inputs, wish_name, dtype::boolean);
    return service;
}

Inputs TrackService::inputs(const std::vector<Hit>& hits, bool with_edges) const {
    Inputs inputs{as_input(hit_features(features_name, hits, scales_))};
    if (with_edges && asks_for_edges_) {
        constexpr std::byte yes{1};
        inputs.push_back(
            {std::string(wish_name), {dtype::boolean, {1}, Buffer::copy_of({&yes, 1})}});
    }
    return inputs;
}

Result<FoundTracks> TrackService::read(const Inference& answer, std::size_t hit_count,
                                       const EventTruth* truth) {
    const auto labels = answer.output(labels_name).as<std::int64_t>();
    if (!labels) return tl::unexpected(labels.error());
    if (labels->size() != hit_count) {
        return unfit(fmt::format("{} LABELS", labels->size()),
                     fmt::format("the event has {} hits", hit_count));
    }
    FoundTracks found;
    found.labels.assign(labels->begin(), labels->end());
    found.track_count = count_tracks(found.labels);
    auto stages = read_stages(answer);
    if (!stages) return tl::unexpected(stages.error());
    found.stages = std::move(*stages);
    if (truth == nullptr) return found;
    auto metrics = track_metrics(*truth, found.labels);
    if (!metrics) return tl::unexpected(metrics.error());
    found.metrics = *metrics;
    if (const auto judged = judge_stages(found.stages, answer, *truth); !judged) {
        return tl::unexpected(judged.error());
    }
    return found;
}

}  // namespace farm
