#include "gpu_worker/backends/track_networks.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gpu_worker/backends/torch_backend.h"
#include "schemas/tensor_values.h"

namespace farm {

namespace {

using tracking::EdgesView;
using tracking::Points;

Result<std::shared_ptr<LoadedModel>> load_network(const ModelSource& service,
                                                  const std::string& file, Signature signature,
                                                  const Device& device) {
    ModelSource source = network_source(service, file);
    source.signature = std::move(signature);
    auto model = load_torch_model(source, device);
    if (model) return model;
    return tl::unexpected(error_of_file(file, model.error()));
}

Tensor points_tensor(const Points& points) {
    const Shape shape{static_cast<std::int64_t>(points.size()),
                      static_cast<std::int64_t>(points.dimension_count)};
    return {{"points__0", dtype::f32, shape}, Buffer::copy_of(std::as_bytes(points.values))};
}

Tensor edges_tensor(const EdgesView& edges) {
    MutableBuffer block(2 * edges.size() * sizeof(std::int64_t));
    auto* ends = reinterpret_cast<std::int64_t*>(block.data());
    std::ranges::copy(edges.target, std::ranges::copy(edges.source, ends).out);
    return {{"edges__1", dtype::i64, {2, static_cast<std::int64_t>(edges.size())}},
            std::move(block).freeze()};
}

Tensor pairs_tensor(const Points& points, const EdgesView& edges) {
    MutableBuffer block(2 * edges.size() * points.dimension_count * sizeof(float));
    auto* place = reinterpret_cast<float*>(block.data());
    for (std::size_t k = 0; k < edges.size(); ++k) {
        for (const std::int32_t end : {edges.source[k], edges.target[k]}) {
            place = std::ranges::copy(points.row(static_cast<std::size_t>(end)), place).out;
        }
    }
    return {{"pairs__0",
             dtype::f32,
             {static_cast<std::int64_t>(edges.size()),
              static_cast<std::int64_t>(2 * points.dimension_count)}},
            std::move(block).freeze()};
}

/// The one float32 output of a run.
Result<Tensor> output_of(BackendInstance& network, const TensorList& inputs) {
    auto outputs = network.run(inputs);
    if (!outputs) return tl::unexpected(error_of(outputs.error()));
    Tensor& output = outputs->front();
    if (output.desc.type == dtype::f32) return std::move(output);
    return fail(ErrorCode::internal, "a network gave " + to_string(output.desc.type) +
                                         " (float32 is taken): convert it in forward()");
}

class ModelEmbedder : public tracking::Embedder {
  public:
    explicit ModelEmbedder(std::unique_ptr<BackendInstance> network)
        : network_(std::move(network)) {}

    Result<tracking::Embedding> embed(const Points& features) override {
        const auto output = output_of(*network_, {points_tensor(features)});
        if (!output) return tl::unexpected(output.error());
        const Shape& shape = output->desc.shape;
        if (shape.size() != 2 || shape[1] < 1) {
            return fail(ErrorCode::internal, "the embedding has shape " + to_string(shape) +
                                                 " (a row for each point is taken): give [n, d]");
        }
        return tracking::Embedding{values_of(*output), static_cast<std::size_t>(shape[1])};
    }

  private:
    std::unique_ptr<BackendInstance> network_;
};

class ModelEdgeScorer : public tracking::EdgeScorer {
  public:
    ModelEdgeScorer(std::unique_ptr<BackendInstance> network, EdgeNetworkInput input)
        : network_(std::move(network)), input_(input) {}

    Result<std::vector<float>> score(const Points& features, const EdgesView& edges) override {
        TensorList inputs;
        if (input_ == EdgeNetworkInput::pairs) {
            inputs = {pairs_tensor(features, edges)};
        } else {
            inputs = {points_tensor(features), edges_tensor(edges)};
        }
        const auto output = output_of(*network_, inputs);
        if (!output) return tl::unexpected(output.error());
        return values_of(*output);
    }

  private:
    std::unique_ptr<BackendInstance> network_;
    EdgeNetworkInput input_;
};

const TensorSpec points_spec{"points__0", dtype::f32, {-1, -1}, false};
const TensorSpec scores_spec{"scores__0", dtype::f32, {-1}, false};

}  // namespace

ModelSource network_source(const ModelSource& service, const std::string& file) {
    ModelSource source;
    source.model = service.model;
    source.backend = "pytorch";
    source.file = file;
    source.has_config = true;
    source.intra_op_thread_count = service.intra_op_thread_count;
    source.precision = service.precision;
    return source;
}

Error error_of_file(const std::string& file, const Error& error) {
    if (error.message.starts_with(file)) return error;
    return {error.code, file + ": " + error.message};
}

Error error_of(const RunFailure& failure) {
    switch (failure.outcome) {
        case Outcome::input_error: return {ErrorCode::invalid, failure.detail};
        case Outcome::retryable_fault: return {ErrorCode::unavailable, failure.detail};
        default: return {ErrorCode::device, failure.detail};
    }
}

Result<std::shared_ptr<LoadedModel>> load_embedding_network(const ModelSource& service,
                                                            const std::string& file,
                                                            const Device& device) {
    return load_network(service, file,
                        {{points_spec}, {{"embedding__0", dtype::f32, {-1, -1}, false}}}, device);
}

Result<std::shared_ptr<LoadedModel>> load_edge_network(const ModelSource& service,
                                                       const std::string& file,
                                                       EdgeNetworkInput input,
                                                       const Device& device) {
    Signature signature{{points_spec, {"edges__1", dtype::i64, {2, -1}, false}}, {scores_spec}};
    if (input == EdgeNetworkInput::pairs) {
        signature.inputs = {{"pairs__0", dtype::f32, {-1, -1}, false}};
    }
    return load_network(service, file, std::move(signature), device);
}

std::unique_ptr<tracking::Embedder> make_embedder(std::unique_ptr<BackendInstance> network) {
    return std::make_unique<ModelEmbedder>(std::move(network));
}

std::unique_ptr<tracking::EdgeScorer> make_edge_scorer(std::unique_ptr<BackendInstance> network,
                                                       EdgeNetworkInput input) {
    return std::make_unique<ModelEdgeScorer>(std::move(network), input);
}

}  // namespace farm
