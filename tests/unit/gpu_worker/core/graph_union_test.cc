#include "gpu_worker/core/graph_union.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/gpu_worker/batch_oracle.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::integers;
using testing::run_together;
using testing::tensor_of;
using testing::zeros;

Signature graphs(DType index = dtype::i64) {
    return {{{"nodes", dtype::f32, {-1, 2}, false},
             {"edge_index", index, {2, -1}, false},
             {"edge_weights", dtype::f32, {-1}, false}},
            {{"edge_scores", dtype::f32, {-1}, false}, {"node_sums", dtype::f32, {-1, 1}, false}}};
}

GraphSettings settings() {
    return {{"edge_index", "edge_weights"}, {"node_sums"}, {"edge_scores"}};
}

std::shared_ptr<const Batching> rule(DType index = dtype::i64) {
    const auto made = batch_graphs(graphs(index), settings());
    EXPECT_TRUE(made) << made.error().message;
    return *made;
}

/// Edge scores from both ends and the weight; node sums of the scores that come in.
template <class Index>
TensorList graph_model(const TensorList& run) {
    const auto nodes = values_of(run.at(0));
    const auto ends = values_of<Index>(run.at(1));
    const auto weights = values_of(run.at(2));
    std::vector<float> scores(weights.size());
    std::vector<float> sums(nodes.size() / 2, 0.0F);
    for (std::size_t e = 0; e < weights.size(); ++e) {
        const auto from = static_cast<std::size_t>(ends.at(e));
        const auto to = static_cast<std::size_t>(ends.at(weights.size() + e));
        scores[e] = weights[e] * nodes.at(2 * from) - nodes.at(2 * to + 1);
        sums.at(to) += scores[e];
    }
    return {floats("edge_scores", {static_cast<std::int64_t>(scores.size())}, scores),
            floats("node_sums", {static_cast<std::int64_t>(sums.size()), 1}, sums)};
}

template <class Index>
TensorList random_graph(std::mt19937& engine, DType type, std::int64_t nodes, std::int64_t edges) {
    std::normal_distribution<float> number;
    std::uniform_int_distribution<Index> node(
        0, static_cast<Index>(std::max<std::int64_t>(nodes, 1) - 1));
    std::vector<float> features(static_cast<std::size_t>(2 * nodes));
    std::vector<Index> ends(static_cast<std::size_t>(2 * edges));
    std::vector<float> weights(static_cast<std::size_t>(edges));
    for (float& value : features) value = number(engine);
    for (Index& end : ends) end = node(engine);
    for (float& value : weights) value = number(engine);
    return {floats("nodes", {nodes, 2}, features), tensor_of("edge_index", type, {2, edges}, ends),
            floats("edge_weights", {edges}, weights)};
}

template <class Index>
void compare_random_graphs(DType type) {
    const auto batching = rule(type);
    for (unsigned seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 engine(seed);
        std::vector<TensorList> calls(1 + engine() % 7);
        for (TensorList& call : calls) {
            const std::int64_t nodes = engine() % 20;
            // As many edges as nodes now and then: nothing may be told from the counts.
            const std::int64_t edges = nodes == 0 ? 0 : engine() % 3 == 0 ? nodes : engine() % 40;
            call = random_graph<Index>(engine, type, nodes, edges);
            ASSERT_TRUE(batching->check_values(call));
        }
        const auto parts = run_together(*batching, graph_model<Index>, calls);
        ASSERT_EQ(parts.size(), calls.size());
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const TensorList alone = graph_model<Index>(calls[i]);
            for (std::size_t t = 0; t < alone.size(); ++t) {
                EXPECT_EQ(parts[i][t].desc, alone[t].desc);
                EXPECT_EQ(values_of(parts[i][t]), values_of(alone[t]));
            }
        }
    }
}

TEST(GraphUnionTest, RandomGraphsTogetherEqualOneByOne) {
    compare_random_graphs<std::int64_t>(dtype::i64);
}
TEST(GraphUnionTest, RandomGraphsWithNarrowIndicesTogetherEqualOneByOne) {
    compare_random_graphs<std::int32_t>(dtype::i32);
}

TEST(GraphUnionTest, NodeNumbersMoveByTheNodesBefore) {
    const auto call = [](std::int64_t nodes, const std::vector<std::int64_t>& ends) {
        const auto edges = static_cast<std::int64_t>(ends.size() / 2);
        return TensorList{zeros("nodes", {nodes, 2}), integers("edge_index", {2, edges}, ends),
                          zeros("edge_weights", {edges})};
    };
    const std::vector<TensorList> calls = {call(3, {0, 2, 1, 1}), call(1, {}), call(2, {1, 0})};
    const auto run = rule()->combine(testing::pointers_to(calls), heap_block);
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[0].desc.shape, (Shape{6, 2}));
    EXPECT_EQ((*run)[1].desc.shape, (Shape{2, 3}));
    EXPECT_EQ(values_of<std::int64_t>((*run)[1]), (std::vector<std::int64_t>{0, 2, 5, 1, 1, 4}));
}

TEST(GraphUnionTest, LoneCallRunsAsItIs) {
    std::mt19937 engine(1);
    const TensorList call = random_graph<std::int64_t>(engine, dtype::i64, 5, 9);
    EXPECT_TRUE(rule()->runs_as_it_is(call));
}

TEST(GraphUnionTest, CountsNodesAndEdges) {
    std::mt19937 engine(1);
    const auto batching = rule();
    const auto measure = [&](std::int64_t nodes, std::int64_t edges) {
        return *batching->measure(random_graph<std::int64_t>(engine, dtype::i64, nodes, edges));
    };
    EXPECT_EQ(measure(5, 9).rows, 14U);
    EXPECT_EQ(measure(0, 0).rows, 1U);
    EXPECT_EQ(measure(5, 9).shape_key, measure(7, 0).shape_key);
}

TEST(GraphUnionTest, IndexOutOfTheCallIsNamedWithItsPlace) {
    const auto message = [](std::int64_t nodes, const std::vector<std::int64_t>& ends) {
        const auto edges = static_cast<std::int64_t>(ends.size() / 2);
        const auto checked = rule()->check_values({zeros("nodes", {nodes, 2}),
                                                   integers("edge_index", {2, edges}, ends),
                                                   zeros("edge_weights", {edges})});
        return checked ? "no error" : checked.error().message;
    };
    EXPECT_EQ(message(3, {0, 1, 2, 2, 1, 0}), "no error");
    EXPECT_EQ(
        message(3, {0, 1, 2, 2, 3, 0}),
        "input 'edge_index' has 3 at [1, 1] (the call has 3 nodes): number nodes from 0 to 2");
    EXPECT_EQ(message(3, {0, -1}),
              "input 'edge_index' has -1 at [1, 0] (the call has 3 nodes): number nodes from 0 to "
              "2");
    EXPECT_EQ(
        message(3, {INT64_MIN, 0}).find("input 'edge_index' has -9223372036854775808 at [0, "), 0U);
    EXPECT_EQ(message(0, {0, 0}),
              "input 'edge_index' has 0 at [0, 0] (the call has 0 nodes): send no edges");
    EXPECT_EQ(message(0, {}), "no error");
}

TEST(GraphUnionTest, NarrowIndexOutOfTheCallIsNamed) {
    const auto checked = rule(dtype::i32)
                             ->check_values({zeros("nodes", {3, 2}),
                                             tensor_of("edge_index", dtype::i32, {2, 1},
                                                       std::vector<std::int32_t>{-7, 0}),
                                             zeros("edge_weights", {1})});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::invalid);
    EXPECT_NE(checked.error().message.find("has -7 at [0, 0]"), std::string::npos);
}

TEST(GraphUnionTest, RowsOfOneKindAreCompared) {
    const auto measured =
        rule()->measure({zeros("nodes", {3, 2}), integers("edge_index", {2, 2}, {0, 1, 1, 0}),
                         zeros("edge_weights", {3})});
    ASSERT_FALSE(measured);
    EXPECT_EQ(measured.error().message,
              "input 'edge_weights' has rows for 3 edges (the call has 2 edges): send one row for "
              "each");
}

TEST(GraphUnionTest, OutputOfAnotherCountIsTheModelsFault) {
    std::mt19937 engine(1);
    const std::vector<TensorList> calls = {random_graph<std::int64_t>(engine, dtype::i64, 3, 2)};
    const auto parts = rule()->split({zeros("edge_scores", {3}), zeros("node_sums", {3, 1})},
                                     testing::pointers_to(calls));
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, ErrorCode::device);
    EXPECT_EQ(parts.error().message,
              "output 'edge_scores' has 3 rows (the run has 2 edges): correct "
              "farm.graph_edge_outputs");
}

std::string refusal(const GraphSettings& with, const Signature& signature = graphs()) {
    const auto made = batch_graphs(signature, with);
    return made ? "no error" : made.error().message;
}

TEST(GraphUnionTest, SettingsThatDoNotFitAreNamed) {
    GraphSettings with = settings();
    with.edge_inputs = {"edges"};
    EXPECT_EQ(refusal(with),
              "parameter 'farm.graph_edge_inputs' names 'edges', which is no input "
              "(farm.batch is 'graph'): use names of inputs");
    with.edge_inputs = {"edge_weights"};
    EXPECT_NE(refusal(with).find("input 'edge_index' has dims [2, -1]"), std::string::npos);
    with = settings();
    with.edge_outputs.clear();
    EXPECT_EQ(refusal(with),
              "parameter 'farm.graph_edge_outputs' does not name output 'edge_scores', nor does "
              "'farm.graph_node_outputs' (farm.batch is 'graph'): say in exactly one of them what "
              "its rows are");
    with.edge_outputs = {"edge_scores", "node_sums"};
    EXPECT_NE(refusal(with).find("names output 'node_sums', and so does"), std::string::npos);
    with.edge_outputs = {"edge_scores", "more"};
    EXPECT_NE(refusal(with).find("names 'more', which is no output"), std::string::npos);
}

TEST(GraphUnionTest, SignaturesThatAreNoGraphAreNamed) {
    Signature signature = graphs();
    signature.inputs[1].type = dtype::f32;
    EXPECT_NE(refusal(settings(), signature).find("input 'edge_index' has dims [2, -1]"),
              std::string::npos);
    signature = graphs();
    signature.inputs.erase(signature.inputs.begin());
    EXPECT_NE(refusal(settings(), signature).find("leaves no input for the nodes"),
              std::string::npos);
    signature = graphs();
    signature.inputs.push_back({"other_index", dtype::i64, {2, -1}, false});
    GraphSettings both = settings();
    both.edge_inputs.push_back("other_index");
    EXPECT_NE(refusal(both, signature).find("names two edge indices"), std::string::npos);
    signature = graphs();
    signature.inputs[1].optional = true;
    EXPECT_NE(refusal(settings(), signature).find("names the optional edge index"),
              std::string::npos);
    signature = graphs();
    signature.outputs[1].dims = {4};
    EXPECT_NE(refusal(settings(), signature).find("no row for each node or edge"),
              std::string::npos);
    EXPECT_NE(
        refusal(
            {{"edge_weights"}, {}, {}},
            {{{"edge_weights", dtype::f32, {-1}, false}, {"nodes", dtype::f32, {-1}, false}}, {}})
            .find("names no edge index"),
        std::string::npos);
}

}  // namespace
}  // namespace farm
