#include "gpu_worker/core/graph_union.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "common/core/expect.h"

namespace farm {

namespace {

/// What the rows of a tensor are; the edge index has columns instead.
enum class Of : std::uint8_t { nodes, edges, edge_index };

struct GraphSize {
    std::int64_t nodes{0};
    std::int64_t edges{0};

    std::int64_t rows(Of of) const { return of == Of::nodes ? nodes : edges; }
};

// ---- the edge index ---------------------------------------------------------------------------

template <class Index>
Index load(const std::byte* at) {
    Index value;
    std::memcpy(&value, at, sizeof(value));
    return value;
}

template <class Index>
tl::unexpected<Error> beyond_nodes(const Tensor& tensor, std::int64_t position,
                                   std::int64_t nodes) {
    const std::int64_t edges = tensor.desc.shape[1];
    const Index value = load<Index>(tensor.data.data() + position * std::int64_t{sizeof(Index)});
    return fail(
        ErrorCode::invalid,
        "input '" + tensor.desc.name + "' has " + std::to_string(value) + " at [" +
            std::to_string(position / edges) + ", " + std::to_string(position % edges) +
            "] (the call has " + std::to_string(nodes) + " nodes): " +
            (nodes == 0 ? "send no edges" : "number nodes from 0 to " + std::to_string(nodes - 1)));
}

/// Unsigned, so that one comparison finds negative values as well.
template <class Index, class Unsigned>
Result<void> check_indices(const Tensor& tensor, std::int64_t nodes) {
    const std::byte* data = tensor.data.data();
    const std::int64_t count = 2 * tensor.desc.shape[1];
    Unsigned largest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        largest = std::max(largest, load<Unsigned>(data + i * std::int64_t{sizeof(Index)}));
    }
    if (count == 0 || largest < static_cast<std::uint64_t>(nodes)) return {};
    for (std::int64_t i = 0; i < count; ++i) {
        const auto value = load<Unsigned>(data + i * std::int64_t{sizeof(Index)});
        if (value >= static_cast<std::uint64_t>(nodes)) {
            return beyond_nodes<Index>(tensor, i, nodes);
        }
    }
    return {};
}

template <class Index>
void add_moved(const Tensor& tensor, std::int64_t row, std::int64_t by, std::byte* target) {
    const std::int64_t edges = tensor.desc.shape[1];
    const std::byte* source = tensor.data.data() + row * edges * std::int64_t{sizeof(Index)};
    for (std::int64_t i = 0; i < edges; ++i) {
        const std::int64_t at = i * std::int64_t{sizeof(Index)};
        const Index moved = static_cast<Index>(load<Index>(source + at) + by);
        std::memcpy(target + at, &moved, sizeof(moved));
    }
}

// ---- the rule ---------------------------------------------------------------------------------

class GraphBatching : public Batching {
  public:
    Result<void> add_inputs(const Signature& signature, const GraphSettings& settings);
    Result<void> add_outputs(const Signature& signature, const GraphSettings& settings);

    BatchRule rule() const override { return BatchRule::graph; }

    Result<CallMeasure> measure(const TensorList& call) const override;
    Result<void> check_values(const TensorList& call) const override;
    Result<TensorList> combine(RunCalls calls, const Allocate& allocate) const override;
    Result<std::vector<TensorList>> split(TensorList outputs, RunCalls calls) const override;

  private:
    Of of_input(const std::string& name) const;
    GraphSize size_of(const TensorList& call) const;
    Tensor join_indices(RunCalls calls, std::size_t index, const Allocate& allocate) const;

    std::string edge_index_;
    std::vector<std::string> edge_inputs_;
    std::vector<Of> outputs_;  ///< in the order of the signature
};

tl::unexpected<Error> refuse(const std::string& parameter, const std::string& problem,
                             const std::string& advice) {
    return fail(ErrorCode::invalid,
                "parameter '" + parameter + "' " + problem + " (farm.batch is 'graph'): " + advice);
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

bool is_edge_index(const TensorSpec& spec) {
    return (spec.type == dtype::i64 || spec.type == dtype::i32) && spec.dims == Shape{2, -1};
}

Result<void> check_rows_are_free(const TensorSpec& spec, const std::string& what,
                                 const std::string& parameter) {
    if (!spec.dims.empty() && spec.dims.front() == -1) return {};
    return refuse(parameter,
                  "cannot be followed: " + what + " '" + spec.name + "' has dims " +
                      to_string(spec.dims) + ", which is no row for each node or edge",
                  "its dims must begin with -1 (a model with values of whole graphs runs with "
                  "farm.batch 'none')");
}

Result<void> check_known(const std::vector<TensorSpec>& specs,
                         const std::vector<std::string>& names, const std::string& what,
                         const std::string& parameter) {
    for (const std::string& name : names) {
        if (std::ranges::find(specs, name, &TensorSpec::name) != specs.end()) continue;
        return refuse(parameter, "names '" + name + "', which is no " + what,
                      "use names of " + what + "s");
    }
    return {};
}

Result<void> GraphBatching::add_inputs(const Signature& signature, const GraphSettings& settings) {
    const std::string parameter = "farm.graph_edge_inputs";
    edge_inputs_ = settings.edge_inputs;
    auto known = check_known(signature.inputs, edge_inputs_, "input", parameter);
    if (!known) return known;
    bool has_nodes = false;
    for (const TensorSpec& spec : signature.inputs) {
        if (holds(edge_inputs_, spec.name) && is_edge_index(spec)) {
            if (!edge_index_.empty() || spec.optional) {
                return refuse(parameter,
                              spec.optional ? "names the optional edge index '" + spec.name + "'"
                                            : "names two edge indices, '" + edge_index_ +
                                                  "' and '" + spec.name + "'",
                              "exactly one is needed, in every call");
            }
            edge_index_ = spec.name;
            continue;
        }
        if (auto free = check_rows_are_free(spec, "input", parameter); !free) return free;
        has_nodes = has_nodes || (!holds(edge_inputs_, spec.name) && !spec.optional);
    }
    if (edge_index_.empty()) {
        return refuse(parameter, "names no edge index",
                      "one of its inputs must be int32 or int64 with dims [ 2, -1 ]");
    }
    if (has_nodes) return {};
    return refuse(parameter, "leaves no input for the nodes", "list inputs of edges only");
}

Result<void> GraphBatching::add_outputs(const Signature& signature, const GraphSettings& settings) {
    const std::string of_nodes = "farm.graph_node_outputs";
    const std::string of_edges = "farm.graph_edge_outputs";
    auto known = check_known(signature.outputs, settings.node_outputs, "output", of_nodes);
    if (!known) return known;
    known = check_known(signature.outputs, settings.edge_outputs, "output", of_edges);
    if (!known) return known;
    for (const TensorSpec& output : signature.outputs) {
        const bool edges = holds(settings.edge_outputs, output.name);
        if (edges == holds(settings.node_outputs, output.name)) {
            return refuse(of_edges,
                          (edges ? "names output '" + output.name + "', and so does '"
                                 : "does not name output '" + output.name + "', nor does '") +
                              of_nodes + "'",
                          "say in exactly one of them what its rows are");
        }
        auto free = check_rows_are_free(output, "output", edges ? of_edges : of_nodes);
        if (!free) return free;
        outputs_.push_back(edges ? Of::edges : Of::nodes);
    }
    return {};
}

Of GraphBatching::of_input(const std::string& name) const {
    if (name == edge_index_) return Of::edge_index;
    return holds(edge_inputs_, name) ? Of::edges : Of::nodes;
}

/// The first input of each kind says it; measure() compares the others.
GraphSize GraphBatching::size_of(const TensorList& call) const {
    GraphSize size;
    for (const Tensor& tensor : call) {
        if (of_input(tensor.desc.name) == Of::edge_index) size.edges = tensor.desc.shape[1];
    }
    for (const Tensor& tensor : call) {
        if (of_input(tensor.desc.name) != Of::nodes) continue;
        size.nodes = tensor.desc.shape[0];
        break;
    }
    return size;
}

Result<CallMeasure> GraphBatching::measure(const TensorList& call) const {
    const GraphSize size = size_of(call);
    CallMeasure measured;
    for (const Tensor& tensor : call) {
        const Of of = of_input(tensor.desc.name);
        const std::size_t counted = of == Of::edge_index ? 1 : 0;
        const std::int64_t rows = tensor.desc.shape[counted];
        if (rows != size.rows(of)) {
            const std::string what = of == Of::nodes ? " nodes" : " edges";
            return fail(ErrorCode::invalid, "input '" + tensor.desc.name + "' has rows for " +
                                                std::to_string(rows) + what + " (the call has " +
                                                std::to_string(size.rows(of)) + what +
                                                "): send one row for each");
        }
        add_to_key(tensor.desc, {counted == 0, counted == 1}, measured.shape_key);
    }
    const std::int64_t rows = std::clamp<std::int64_t>(size.nodes + size.edges, 1, UINT32_MAX);
    measured.rows = static_cast<std::uint32_t>(rows);
    return measured;
}

Result<void> GraphBatching::check_values(const TensorList& call) const {
    const GraphSize size = size_of(call);
    const auto tensor = std::ranges::find_if(
        call, [&](const Tensor& each) { return each.desc.name == edge_index_; });
    FARM_EXPECT(tensor != call.end());  // check_inputs() passed
    if (tensor->desc.type == dtype::i32) {
        return check_indices<std::int32_t, std::uint32_t>(*tensor, size.nodes);
    }
    return check_indices<std::int64_t, std::uint64_t>(*tensor, size.nodes);
}

Tensor GraphBatching::join_indices(RunCalls calls, std::size_t index,
                                   const Allocate& allocate) const {
    Tensor whole{(*calls.front())[index].desc, {}};
    const bool narrow = whole.desc.type == dtype::i32;
    const std::int64_t width = narrow ? 4 : 8;
    std::int64_t edges = 0;
    for (const TensorList* call : calls) edges += (*call)[index].desc.shape[1];
    whole.desc.shape[1] = edges;
    MutableBuffer block = allocate(static_cast<std::size_t>(2 * edges * width));
    std::byte* target = block.data();
    for (std::int64_t row = 0; row < 2; ++row) {
        std::int64_t nodes_before = 0;
        for (const TensorList* call : calls) {
            const Tensor& part = (*call)[index];
            if (narrow) {
                add_moved<std::int32_t>(part, row, nodes_before, target);
            } else {
                add_moved<std::int64_t>(part, row, nodes_before, target);
            }
            target += part.desc.shape[1] * width;
            nodes_before += size_of(*call).nodes;
        }
    }
    whole.data = std::move(block).freeze();
    return whole;
}

Result<TensorList> GraphBatching::combine(RunCalls calls, const Allocate& allocate) const {
    if (calls.size() == 1) return *calls.front();
    std::int64_t nodes = 0;
    for (const TensorList* call : calls) nodes += size_of(*call).nodes;
    if (nodes > most_graph_rows) {
        return fail(ErrorCode::too_large, "the graphs of one run have " + std::to_string(nodes) +
                                              " nodes (at most " + std::to_string(most_graph_rows) +
                                              "): send them one by one");
    }
    TensorList run;
    for (std::size_t i = 0; i < calls.front()->size(); ++i) {
        const bool index = of_input((*calls.front())[i].desc.name) == Of::edge_index;
        run.push_back(index ? join_indices(calls, i, allocate)
                            : concatenate_rows(calls, i, allocate));
    }
    return run;
}

Result<std::vector<TensorList>> GraphBatching::split(TensorList outputs, RunCalls calls) const {
    std::vector<GraphSize> sizes;
    GraphSize all;
    for (const TensorList* call : calls) {
        sizes.push_back(size_of(*call));
        all.nodes += sizes.back().nodes;
        all.edges += sizes.back().edges;
    }
    std::vector<TensorList> parts(calls.size());
    FARM_EXPECT(outputs.size() == outputs_.size());
    for (std::size_t index = 0; index < outputs.size(); ++index) {
        const Tensor& output = outputs[index];
        const Of of = outputs_[index];
        if (output.desc.shape[0] != all.rows(of)) {
            const bool nodes = of == Of::nodes;
            return fail(ErrorCode::device,
                        "output '" + output.desc.name + "' has " +
                            std::to_string(output.desc.shape[0]) + " rows (the run has " +
                            std::to_string(all.rows(of)) + (nodes ? " nodes" : " edges") +
                            "): correct farm.graph_" + (nodes ? "node" : "edge") + "_outputs");
        }
        std::int64_t first = 0;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            parts[i].push_back(slice_rows(output, first, sizes[i].rows(of)));
            first += sizes[i].rows(of);
        }
    }
    return parts;
}

}  // namespace

Result<std::shared_ptr<const Batching>> batch_graphs(const Signature& signature,
                                                     const GraphSettings& settings) {
    auto made = std::make_shared<GraphBatching>();
    if (auto added = made->add_inputs(signature, settings); !added) {
        return tl::unexpected(added.error());
    }
    if (auto added = made->add_outputs(signature, settings); !added) {
        return tl::unexpected(added.error());
    }
    return made;
}

}  // namespace farm
