#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/core/error.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/model_source.h"
#include "gpu_worker/tracking/networks.h"

/// TorchScript files as the networks of track finding. What forward() takes, by position:
///     embedding          points float32 [n, features]; gives float32 [n, dimensions]
///     edges of a graph   points float32 [n, features], edges int64 [2, e]; gives float32 [e]
///     pairs of points    float32 [e, 2 features], source before target; gives float32 [e]
/// The scores are logits; [e, 1] is as good as [e].
namespace farm {

enum class EdgeNetworkInput : std::uint8_t { graph, pairs };

/// A network's file as a model of its own, with the precision and threads of its service.
ModelSource network_source(const ModelSource& service, const std::string& file);

/// The error with the file in front, once.
Error error_of_file(const std::string& file, const Error& error);

/// As tracking/networks.h says it.
Error error_of(const RunFailure& failure);

/// Loads `file` with the precision, threads and device of the service that it is a part of.
Result<std::shared_ptr<LoadedModel>> load_embedding_network(const ModelSource& service,
                                                            const std::string& file,
                                                            const Device& device);
Result<std::shared_ptr<LoadedModel>> load_edge_network(const ModelSource& service,
                                                       const std::string& file,
                                                       EdgeNetworkInput input,
                                                       const Device& device);

std::unique_ptr<tracking::Embedder> make_embedder(std::unique_ptr<BackendInstance> network);
std::unique_ptr<tracking::EdgeScorer> make_edge_scorer(std::unique_ptr<BackendInstance> network,
                                                       EdgeNetworkInput input);

}  // namespace farm
