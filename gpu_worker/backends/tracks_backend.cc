#include "gpu_worker/backends/tracks_backend.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "gpu_worker/backends/track_finders.h"
#include "gpu_worker/backends/tracks_settings.h"
#include "schemas/feature_scales.h"
#include "schemas/tensor_values.h"
#include "schemas/track_stages.h"

namespace farm {

namespace {

using tracking::FoundTracks;
using tracking::KeepEdges;

const TensorSpec features_spec{"FEATURES", dtype::f32, {-1, 3}, false};
const TensorSpec edges_wanted_spec{"EDGES_WANTED", dtype::boolean, {1}, true};
const TensorSpec event_ends_spec{"EVENT_ENDS", dtype::i64, {-1}, false};
const std::array<TensorSpec, 5> output_specs{{{"LABELS", dtype::i64, {-1}, false},
                                              {"EDGES", dtype::i64, {2, -1}, false},
                                              {"SCORES", dtype::f32, {-1}, false},
                                              {"GRAPH_EDGES", dtype::i32, {2, -1}, false},
                                              {"STAGES", dtype::f64, {5, 2}, false}}};

// ---- tensors ----------------------------------------------------------------------------------

/// The parts one after another, as Numbers.
template <class Number, class... Parts>
Tensor tensor_of(const TensorSpec& spec, Shape shape, const Parts&... parts) {
    MutableBuffer block((parts.size() + ...) * sizeof(Number));
    auto* place = reinterpret_cast<Number*>(block.data());
    ((place = std::ranges::copy(parts, place).out), ...);
    return {{spec.name, spec.type, std::move(shape)}, std::move(block).freeze()};
}

std::int64_t length(std::size_t count) { return static_cast<std::int64_t>(count); }

Tensor labels_tensor(const TensorSpec& spec, const FoundTracks& found) {
    const auto& labels = found.tracks.labels;
    return tensor_of<std::int64_t>(spec, {length(labels.size())}, labels);
}

template <class Index>
Tensor edges_tensor(const TensorSpec& spec, const tracking::Edges& edges) {
    return tensor_of<Index>(spec, {2, length(edges.size())}, edges.source, edges.target);
}

Tensor stages_tensor(const TensorSpec& spec, const FoundTracks& found) {
    std::vector<double> numbers;
    for (const tracking::StageReport& stage : found.stages) {
        numbers.push_back(std::chrono::duration<double, std::milli>(stage.time).count());
        numbers.push_back(static_cast<double>(stage.edge_count));
    }
    return tensor_of<double>(spec, {length(found.stages.size()), 2}, numbers);
}

Tensor output_of(const TensorSpec& spec, const FoundTracks& found) {
    if (spec.name == "LABELS") return labels_tensor(spec, found);
    if (spec.name == "EDGES") return edges_tensor<std::int64_t>(spec, found.edges.edges);
    if (spec.name == "GRAPH_EDGES") return edges_tensor<std::int32_t>(spec, found.graph);
    if (spec.name == "STAGES") return stages_tensor(spec, found);
    return tensor_of<float>(spec, {length(found.edges.size())}, found.edges.scores);
}

const Tensor* find(std::span<const Tensor> inputs, const TensorSpec& spec) {
    const auto found = std::ranges::find(
        inputs, spec.name, [](const Tensor& t) -> const std::string& { return t.desc.name; });
    return found == inputs.end() ? nullptr : &*found;
}

RunFailure failure_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::device: return {Outcome::device_fault, error.message};
        case ErrorCode::internal:  // one event's numbers do not take the device out of rotation
        case ErrorCode::unavailable: return {Outcome::retryable_fault, error.message};
        default: return {Outcome::input_error, error.message};
    }
}

// ---- the model --------------------------------------------------------------------------------

class TracksInstance : public BackendInstance {
  public:
    TracksInstance(const TracksSettings& settings, std::unique_ptr<tracking::TrackFinder> finder,
                   Signature signature)
        : settings_(settings), finder_(std::move(finder)), signature_(std::move(signature)) {}

    RunResult run(std::span<const Tensor> inputs) override {
        try {
            std::vector<float> own;  // unless they can be used where they lie
            const auto found = finder_->find({features_of(inputs.front(), own), 3},
                                             event_ends(inputs), wanted(inputs));
            if (!found) return tl::unexpected(failure_of(found.error()));
            TensorList outputs;
            for (const TensorSpec& spec : signature_.outputs) {
                outputs.push_back(output_of(spec, *found));
            }
            return outputs;
        } catch (const std::bad_alloc&) {
            return tl::unexpected(
                RunFailure{Outcome::retryable_fault, "there is no memory for the event"});
        }
    }

  private:
    /// What the networks take, in the tensor or in `own`.
    std::span<const float> features_of(const Tensor& given, std::vector<float>& own) const {
        const std::byte* data = given.data.data();
        const bool is_aligned = reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0;
        if (settings_.features_are_scaled && is_aligned) {
            return {reinterpret_cast<const float*>(data), given.data.size() / sizeof(float)};
        }
        own = values_of<float>(given);
        if (!settings_.features_are_scaled) scale(own);
        return own;
    }

    void scale(std::span<float> features) const {
        const auto& scales = settings_.finder.scales;
        for (std::size_t i = 0; i + 2 < features.size(); i += 3) {
            features[i] /= scales.r;
            features[i + 1] /= scales.phi;
            features[i + 2] /= scales.z;
        }
    }

    /// The batch rule counts elements, of which a point has three.
    static std::vector<std::size_t> event_ends(std::span<const Tensor> inputs) {
        const Tensor* given = find(inputs, event_ends_spec);
        if (given == nullptr) return {};
        std::vector<std::size_t> ends;
        for (const std::int64_t end : values_of<std::int64_t>(*given)) {
            ends.push_back(static_cast<std::size_t>(end) / 3);
        }
        return ends;
    }

    KeepEdges wanted(std::span<const Tensor> inputs) const {
        if (gives_labels_alone()) return KeepEdges::no;
        if (signature_.inputs.size() == 1) return KeepEdges::yes;
        const Tensor* wish = find(inputs, edges_wanted_spec);
        const bool is_wished = wish != nullptr && wish->data.bytes().front() != std::byte{0};
        return is_wished ? KeepEdges::yes : KeepEdges::no;
    }

    bool gives_labels_alone() const {
        return signature_.outputs.size() == 1 && signature_.outputs.front().name == "LABELS";
    }

    TracksSettings settings_;
    std::unique_ptr<tracking::TrackFinder> finder_;
    Signature signature_;
};

class TracksModel : public LoadedModel {
  public:
    TracksModel(ServiceAd service, TracksSettings settings, std::unique_ptr<TrackFinders> finders)
        : service_(std::move(service)),
          settings_(std::move(settings)),
          finders_(std::move(finders)) {}

    const ServiceAd& service() const override { return service_; }

    Result<std::unique_ptr<BackendInstance>> make_instance() override {
        auto finder = finders_->make();
        if (!finder) return tl::unexpected(finder.error());
        return std::make_unique<TracksInstance>(settings_, std::move(*finder), service_.signature);
    }

  private:
    ServiceAd service_;
    TracksSettings settings_;
    std::unique_ptr<TrackFinders> finders_;
};

// ---- signature --------------------------------------------------------------------------------

tl::unexpected<Error> refuse(const ModelSource& source, const std::string& problem,
                             const std::string& rule) {
    return fail(ErrorCode::invalid, "model '" + source.model + "': " + problem + " (" + rule +
                                        "): correct config.pbtxt");
}

Result<void> check_outputs(const ModelSource& source) {
    for (const TensorSpec& output : source.signature.outputs) {
        if (std::ranges::find(output_specs, output) != output_specs.end()) continue;
        return refuse(source,
                      "output '" + output.name + "' is " + to_string(output.type) + " " +
                          to_string(output.dims),
                      "possible: LABELS int64 [-1], EDGES int64 [2, -1], SCORES float32 [-1], "
                      "GRAPH_EDGES int32 [2, -1], STAGES float64 [5, 2]");
    }
    return {};
}

Result<void> check_batching(const ModelSource& source) {
    const BatchRule rule = source.batching->rule();
    if (rule == BatchRule::none) return {};
    const auto& outputs = source.signature.outputs;
    if (rule == BatchRule::ragged && source.signature.inputs.size() == 1 && outputs.size() == 1 &&
        outputs.front().name == "LABELS" && source.batching->generated_inputs().size() == 1) {
        const TensorSpec generated = source.batching->generated_inputs().front();
        if (generated.name == event_ends_spec.name && generated.type == event_ends_spec.type) {
            return {};
        }
    }
    return refuse(source, "farm.batch is '" + std::string(to_string(rule)) + "'",
                  "possible: 'none', or 'ragged' with FEATURES and LABELS alone and a batch_input "
                  "EVENT_ENDS, BATCH_ACCUMULATED_ELEMENT_COUNT, TYPE_INT64, of FEATURES");
}

Result<void> check_signature(const ModelSource& source) {
    const auto& inputs = source.signature.inputs;
    const bool takes_wish = inputs.size() == 2 && inputs.back() == edges_wanted_spec;
    if (inputs.empty() || inputs.front() != features_spec || (inputs.size() > 1 && !takes_wish)) {
        return refuse(source, "the inputs are not those of track finding",
                      "FEATURES float32 [-1, 3], and EDGES_WANTED bool [1] with optional: true");
    }
    if (auto checked = check_outputs(source); !checked) return checked;
    return check_batching(source);
}

/// Of FEATURES as they come.
FeatureScales scales_of(const TracksSettings& settings) {
    if (!settings.features_are_scaled) return {1, 1, 1};
    const auto& scales = settings.finder.scales;
    return {scales.r, scales.phi, scales.z};
}

}  // namespace

Result<std::shared_ptr<LoadedModel>> load_tracks_model(const ModelSource& source,
                                                       const Device& device) {
    if (auto checked = check_signature(source); !checked) return tl::unexpected(checked.error());
    auto settings = read_tracks_settings(source);
    if (!settings) return tl::unexpected(settings.error());
    ServiceAd service = advertise(source);
    service.device = device.kind;
    service.device_name = device.name;
    service.labels.push_back({std::string(feature_scales_label), to_text(scales_of(*settings))});
    const bool all_on_device = device.kind == DeviceKind::cuda &&
                               settings->finder.graph_method == tracking::GraphMethod::radius;
    auto finders = all_on_device ? load_cuda_track_finders(source, *settings, device)
                                 : load_track_finders(source, *settings, device);
    if (!finders) return tl::unexpected(finders.error());
    if (const std::string kernels = (*finders)->kernels(); !kernels.empty()) {
        service.labels.push_back({std::string(track_kernels_label), kernels});
    }
    return std::make_shared<TracksModel>(std::move(service), std::move(*settings),
                                         std::move(*finders));
}

}  // namespace farm
