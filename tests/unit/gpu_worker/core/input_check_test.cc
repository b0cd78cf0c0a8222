#include "gpu_worker/core/input_check.h"

#include <gtest/gtest.h>

#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::integers;
using testing::zeros;

ServiceAd gnn() {
    ServiceAd ad;
    ad.model = "gnn";
    ad.signature.inputs = {{"nodes", dtype::f32, {-1, 3}, false},
                           {"edge_index", dtype::i64, {2, -1}, false}};
    ad.signature.outputs = {{"scores", dtype::f32, {-1}, false}};
    return ad;
}

ServiceAd jets() {
    ServiceAd ad;
    ad.model = "jets";
    ad.version = 3;
    ad.batch = BatchRule::rows;
    ad.max_batch_rows = 4;
    ad.signature.inputs = {{"points", dtype::f32, {-1, 2, -1}, false},
                           {"mask", dtype::f32, {-1, 1}, true}};
    ad.signature.outputs = {{"softmax", dtype::f32, {-1, 8}, false}};
    return ad;
}

std::string error_of(const ServiceAd& ad, TensorList inputs) {
    const auto rows = check_inputs(ad, inputs);
    return rows ? "no error" : rows.error().message;
}

TEST(InputCheckTest, PutsInputsIntoSignatureOrderAndReturnsRows) {
    TensorList inputs = {integers("edge_index", {2, 1}, {0, 0}), zeros("nodes", {5, 3})};
    const auto rows = check_inputs(gnn(), inputs);
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(*rows, 5U);
    EXPECT_EQ(inputs[0].desc.name, "nodes");
    EXPECT_EQ(inputs[1].desc.name, "edge_index");
}

TEST(InputCheckTest, WrongColumnsNameValueAndLimit) {
    EXPECT_EQ(error_of(gnn(), {zeros("nodes", {5, 4}), integers("edge_index", {2, 1}, {0, 0})}),
              "input 'nodes' has 4 columns (model 'gnn' version 1 takes 3): send float32 [n, 3]");
}

TEST(InputCheckTest, WrongRowsOfAFixedFirstDimension) {
    EXPECT_EQ(error_of(gnn(), {zeros("nodes", {5, 3}), integers("edge_index", {1, 2}, {0, 0})}),
              "input 'edge_index' has 1 row (model 'gnn' version 1 takes 2): send int64 [2, n]");
}

TEST(InputCheckTest, WrongType) {
    EXPECT_EQ(error_of(gnn(), {integers("nodes", {1, 3}, {0, 0, 0}),
                               integers("edge_index", {2, 1}, {0, 0})}),
              "input 'nodes' has type int64 (model 'gnn' version 1 takes float32): send float32 "
              "[n, 3]");
}

TEST(InputCheckTest, WrongRank) {
    EXPECT_EQ(error_of(gnn(), {zeros("nodes", {3}), integers("edge_index", {2, 1}, {0, 0})}),
              "input 'nodes' has 1 dimension [3] (model 'gnn' version 1 takes 2): send float32 "
              "[n, 3]");
}

TEST(InputCheckTest, MissingInput) {
    EXPECT_EQ(error_of(gnn(), {zeros("nodes", {5, 3})}),
              "input 'edge_index' is missing (model 'gnn' version 1 takes 'nodes', 'edge_index'): "
              "send int64 [2, n]");
}

TEST(InputCheckTest, UnknownInput) {
    EXPECT_EQ(error_of(gnn(), {zeros("nodes", {5, 3}), integers("edges", {2, 1}, {0, 0})}),
              "input 'edges' is not known (model 'gnn' version 1 takes 'nodes', 'edge_index'): use "
              "these names");
}

TEST(InputCheckTest, InputGivenTwice) {
    EXPECT_EQ(error_of(gnn(), {zeros("nodes", {5, 3}), zeros("nodes", {5, 3})}),
              "input 'nodes' is given twice (each input has one tensor): send it once");
}

TEST(InputCheckTest, BytesThatAreNotThoseOfTheShape) {
    Tensor nodes = zeros("nodes", {5, 3});
    nodes.data = nodes.data.slice(0, 59);
    EXPECT_EQ(error_of(gnn(), {nodes, integers("edge_index", {2, 1}, {0, 0})}),
              "input 'nodes' carries 59 bytes (float32 [5, 3] has 60): send exactly the bytes of "
              "the shape");
}

TEST(InputCheckTest, NegativeDimensionIsAnError) {
    Tensor nodes = zeros("nodes", {0, 3});
    nodes.desc.shape = {-5, 3};
    EXPECT_NE(error_of(gnn(), {nodes, integers("edge_index", {2, 1}, {0, 0})}), "no error");
}

TEST(InputCheckTest, NoRowsAreFineWithoutBatching) {
    TensorList inputs = {zeros("nodes", {0, 3}), integers("edge_index", {2, 0}, {})};
    const auto rows = check_inputs(gnn(), inputs);
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(*rows, 0U);
}

TEST(InputCheckTest, OptionalInputMayBeLeftOut) {
    TensorList inputs = {zeros("points", {4, 2, 7})};
    const auto rows = check_inputs(jets(), inputs);
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(*rows, 4U);
}

TEST(InputCheckTest, BatchingInputsAgreeOnRows) {
    EXPECT_EQ(error_of(jets(), {zeros("points", {3, 2, 7}), zeros("mask", {2, 1})}),
              "input 'mask' has 2 rows (input 'points' has 3): send the same number of rows in "
              "every input");
}

TEST(InputCheckTest, MoreRowsThanMaxBatch) {
    TensorList inputs = {zeros("points", {5, 2, 1})};
    const auto rows = check_inputs(jets(), inputs);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code, ErrorCode::too_large);
    EXPECT_EQ(rows.error().message,
              "input 'points' has 5 rows (model 'jets' version 3 takes at most 4 in one call): "
              "split the call");
}

TEST(InputCheckTest, BatchingNeedsARow) {
    EXPECT_EQ(error_of(jets(), {zeros("points", {0, 2, 1})}),
              "input 'points' has 0 rows (model 'jets' version 3 takes 1 or more): do not call it "
              "for nothing");
}

TEST(InputCheckTest, EmptySignatureTakesAnyTensors) {
    ServiceAd any;
    any.model = "identity";
    TensorList inputs = {integers("b", {2}, {1, 2}), zeros("a", {3, 1, 1})};
    const auto rows = check_inputs(any, inputs);
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(*rows, 2U);
    EXPECT_EQ(inputs[0].desc.name, "b");
}

TEST(InputCheckTest, DescribesFreeDimensions) {
    EXPECT_EQ(describe({"x", dtype::f32, {-1, 3, -1, -1, -1}, false}), "float32 [n, 3, m, k, -1]");
}

std::string output_error_of(const ServiceAd& ad, std::uint32_t rows, const TensorList& outputs) {
    const auto checked = check_outputs(ad, rows, outputs);
    return checked ? "no error" : checked.error().message;
}

TEST(OutputCheckTest, AcceptsWhatTheSignatureDeclares) {
    EXPECT_EQ(output_error_of(jets(), 3, {zeros("softmax", {3, 8})}), "no error");
    EXPECT_EQ(output_error_of(gnn(), 3, {zeros("scores", {7})}), "no error");
}

TEST(OutputCheckTest, WrongCount) {
    EXPECT_EQ(output_error_of(gnn(), 1, {}),
              "model 'gnn' version 1 returned 0 tensors (its signature declares 1): correct the "
              "model or its config.pbtxt");
}

TEST(OutputCheckTest, WrongTypeIsADeviceError) {
    const auto checked = check_outputs(gnn(), 1, {integers("scores", {1}, {0})});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::device);
    EXPECT_EQ(checked.error().message,
              "output 'scores' has type int64 (model 'gnn' version 1 declares float32): correct "
              "the model or its config.pbtxt");
}

TEST(OutputCheckTest, WrongBatchDimension) {
    EXPECT_EQ(output_error_of(jets(), 3, {zeros("softmax", {2, 8})}),
              "output 'softmax' has shape [2, 8] (model 'jets' version 3 ran 3 rows and batches on "
              "dimension 0): set max_batch_size to 0 if it cannot batch");
}

}  // namespace
}  // namespace farm
