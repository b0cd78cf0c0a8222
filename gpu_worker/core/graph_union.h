#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu_worker/core/batching.h"

namespace farm {

/// What config.pbtxt says about BatchRule::graph (parameters farm.graph_*). Which tensor belongs
/// to nodes and which to edges is said there, because shapes cannot tell when both counts agree.
struct GraphSettings {
    /// One of them is the edge index: int32 or int64 [2, edges], pairs of node numbers from 0. The
    /// others have a row for each edge. All other inputs have a row for each node.
    std::vector<std::string> edge_inputs{"edge_index"};
    std::vector<std::string> node_outputs;
    std::vector<std::string> edge_outputs;
};

/// Rows (nodes and edges) of a run when config.pbtxt sets no farm.max_batch_rows. A larger graph
/// runs, too, but alone.
constexpr std::uint32_t default_graph_rows = 32'768;
/// Node numbers of a run are int32 in some models.
constexpr std::uint32_t most_graph_rows = 2'147'483'647;

/// BatchRule::graph: the graphs of a run become one with no edge between them. Rows of nodes and of
/// edges are concatenated, and the node numbers of each graph move by the nodes before it. Exact
/// for networks that pass messages along edges and nothing else between nodes.
///
/// A call counts nodes + edges as rows. check_values() requires 0 <= index < nodes of every entry
/// of the edge index, for lone calls as well: a device would read beyond its memory.
/// Errors name the parameter: tensors that are not there or are shaped otherwise, an output of
/// which the settings do not say what its rows are.
Result<std::shared_ptr<const Batching>> batch_graphs(const Signature& signature,
                                                     const GraphSettings& settings);

}  // namespace farm
