#pragma once

#include <string>

#include "common/core/error.h"
#include "gpu_worker/core/model_source.h"
#include "gpu_worker/repository/model_config.pb.h"

namespace farm {

/// Reads how calls join into runs: max_batch_size, dynamic_batching, allow_ragged_batch,
/// batch_input, batch_output and these parameters (see README.md, "Batch rules"):
///
///     farm.batch               "none", "rows", "pad_mask", "graph" or "ragged"; without it
///     "ragged"
///                              where something is, else "rows" where max_batch_size > 0
///     farm.max_batch_rows      most rows of a run where max_batch_size is 0
///     farm.pad_inputs          "points+features+mask, vertices": inputs that are padded; '+' joins
///                              those of one length. Default: all with a free dimension
///     farm.pad_minimum, farm.pad_multiple, farm.pad_bucket
///                              "9", or "points:9, vertices:1": shortest padded length; what it is
///                              a multiple of; lengths of one bucket share a run
///     farm.pad_outputs         "scores:points": outputs that are as long as an input
///     farm.graph_edge_inputs   "edge_index, edge_features"; default "edge_index"
///     farm.graph_node_outputs, farm.graph_edge_outputs
///                              outputs with a row for each node, or each edge
///
/// Requires the signature and the parameters of `source`; sets its batching, max_batch_rows and
/// hints. Errors name the field or parameter, its value and what is possible.
Result<void> read_batching(const inference::ModelConfig& config, ModelSource& source);

/// Whether read_batching() reads this parameter.
bool is_batch_parameter(const std::string& key);

}  // namespace farm
