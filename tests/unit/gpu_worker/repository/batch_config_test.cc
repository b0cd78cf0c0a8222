#include "gpu_worker/repository/batch_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "gpu_worker/core/graph_union.h"
#include "gpu_worker/repository/config_file.h"
#include "gpu_worker/repository/model_config.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::zeros;

Result<ModelSource> describe(const std::string& text) {
    inference::ModelConfig config;
    const auto parsed = parse_config(text, "config.pbtxt", config);
    if (!parsed) return tl::unexpected(parsed.error());
    return describe_model(config, "/models/m");
}

std::string error_of(const std::string& text) {
    const auto source = describe(text);
    return source ? "no error" : source.error().message;
}

std::string parameter(const std::string& key, const std::string& value) {
    return "parameters { key: \"" + key + "\" value { string_value: \"" + value + "\" } }\n";
}

const std::string jets = R"(max_batch_size: 500
input [ { name: "points" data_type: TYPE_FP32 dims: [ 2, -1 ] },
        { name: "mask" data_type: TYPE_FP32 dims: [ 1, -1 ] },
        { name: "vertices" data_type: TYPE_FP32 dims: [ 3, -1 ] } ]
output [ { name: "tags" data_type: TYPE_FP32 dims: [ 8 ] } ]
)";
const std::string padded = parameter("farm.batch", "pad_mask");

const std::string graph = R"(
input [ { name: "nodes" data_type: TYPE_FP32 dims: [ -1, 3 ] },
        { name: "edge_index" data_type: TYPE_INT64 dims: [ 2, -1 ] } ]
output [ { name: "scores" data_type: TYPE_FP32 dims: [ -1 ] } ]
)" + parameter("farm.batch", "graph");
const std::string edge_scores = parameter("farm.graph_edge_outputs", "scores");

const std::string ragged = R"(max_batch_size: 16
input [ { name: "hits" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]
output [ { name: "moved" data_type: TYPE_FP32 dims: [ -1 ] } ]
batch_output [ { target_name: [ "moved" ] source_input: [ "hits" ] } ]
)";

TensorList jet(std::int64_t points, std::int64_t vertices) {
    return {zeros("points", {1, 2, points}), zeros("mask", {1, 1, points}),
            zeros("vertices", {1, 3, vertices})};
}

TEST(BatchConfigTest, PadParametersAreRead) {
    const auto source = describe(
        jets + padded + parameter("farm.pad_inputs", " points+mask , vertices") +
        parameter("farm.pad_minimum", "points:9") +
        parameter("farm.pad_multiple", "2, vertices:3") + parameter("farm.pad_bucket", "16"));
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->batching->rule(), BatchRule::pad_mask);
    EXPECT_EQ(source->max_batch_rows, 500U);
    EXPECT_EQ(source->max_result_bytes, 500U * 8 * 4);
    const auto run = lone_run(*source->batching, jet(3, 4));
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[1].desc.shape, (Shape{1, 1, 10}));
    EXPECT_EQ((*run)[2].desc.shape, (Shape{1, 3, 6}));
    const auto key = [&](std::int64_t points) {
        return source->batching->measure(jet(points, 1))->shape_key;
    };
    EXPECT_EQ(key(17), key(32));
    EXPECT_NE(key(16), key(17));
}

TEST(BatchConfigTest, PadParametersThatCannotBeReadAreShown) {
    for (const auto& [key, value] :
         {std::pair{"farm.pad_inputs", "points,,mask"}, std::pair{"farm.pad_inputs", ""},
          std::pair{"farm.pad_inputs", "points+"}, std::pair{"farm.pad_minimum", "0"},
          std::pair{"farm.pad_minimum", "points:nine"}, std::pair{"farm.pad_multiple", "1048577"},
          std::pair{"farm.pad_bucket", "-1"}, std::pair{"farm.pad_outputs", "tags"}}) {
        const std::string error = error_of(jets + padded + parameter(key, value));
        EXPECT_EQ(error.find("parameter '" + std::string(key) + "' is '" + value + "' (it reads "),
                  0U)
            << error;
    }
}

TEST(BatchConfigTest, GraphParametersAreRead) {
    const auto source = describe(graph + edge_scores);
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->batching->rule(), BatchRule::graph);
    EXPECT_EQ(source->max_batch_rows, default_graph_rows);
    EXPECT_EQ(source->max_result_bytes, limits::default_result_bytes);
    const auto limited = describe(graph + edge_scores + parameter("farm.max_batch_rows", "5000"));
    ASSERT_TRUE(limited) << limited.error().message;
    EXPECT_EQ(limited->max_batch_rows, 5000U);
}

TEST(BatchConfigTest, GraphsHaveNoBatchDimension) {
    EXPECT_EQ(error_of("max_batch_size: 4\n" + graph + edge_scores),
              "max_batch_size is 4 (with farm.batch 'graph' tensors have no batch dimension): set "
              "it to 0, and farm.max_batch_rows to the most nodes and edges");
}

TEST(BatchConfigTest, MostRowsAreChecked) {
    EXPECT_EQ(error_of(jets + parameter("farm.max_batch_rows", "5")),
              "parameter 'farm.max_batch_rows' does nothing (max_batch_size says it): remove it");
    for (const char* rows : {"0", "many", "2147483648", "99999999999"}) {
        const std::string error =
            error_of(graph + edge_scores + parameter("farm.max_batch_rows", rows));
        EXPECT_EQ(error, "parameter 'farm.max_batch_rows' is '" + std::string(rows) +
                             "' (it reads like a whole number from 1 to 2147483647): correct it");
    }
}

TEST(BatchConfigTest, ParametersOfAnotherRuleAreRefused) {
    EXPECT_EQ(error_of(jets + parameter("farm.pad_minimum", "9")),
              "parameter 'farm.pad_minimum' does nothing (it needs farm.batch 'pad_mask', which is "
              "'rows'): remove it or correct farm.batch");
    EXPECT_NE(error_of(jets + padded + edge_scores).find("it needs farm.batch 'graph'"),
              std::string::npos);
}

TEST(BatchConfigTest, UnknownRuleIsNamedWithThoseThatAre) {
    EXPECT_EQ(error_of(jets + parameter("farm.batch", "columns")),
              "parameter 'farm.batch' is 'columns' (\"none\", \"rows\", \"pad_mask\", \"graph\" or "
              "\"ragged\"): correct it");
}

TEST(BatchConfigTest, RaggedFieldsAreRead) {
    const auto source = describe(ragged + R"(
        batch_input [ { kind: BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO
                        target_name: [ "starts", "again" ] data_type: TYPE_INT32
                        source_input: [ "hits" ] },
                      { kind: BATCH_MAX_ELEMENT_COUNT_AS_SHAPE target_name: "longest"
                        data_type: TYPE_FP32 source_input: "hits" } ])");
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->batching->rule(), BatchRule::ragged);
    EXPECT_EQ(source->signature.inputs.size(), 1U);
    const auto generated = source->batching->generated_inputs();
    ASSERT_EQ(generated.size(), 3U);
    EXPECT_EQ(generated[1], (TensorSpec{"again", dtype::i32, {-1}, false}));
    EXPECT_EQ(generated[2].type, dtype::f32);
}

TEST(BatchConfigTest, RaggedNeedsABatchDimensionAndItsOwnRule) {
    EXPECT_EQ(error_of("input [ { name: \"hits\" data_type: TYPE_FP32 dims: [ -1 ] "
                       "allow_ragged_batch: true } ]\n"
                       "output [ { name: \"moved\" data_type: TYPE_FP32 dims: [ -1 ] } ]"),
              "allow_ragged_batch, batch_input and batch_output need max_batch_size (it is 0): set "
              "it to the most rows of a run");
    EXPECT_NE(error_of(ragged + parameter("farm.batch", "rows")).find("run with 'ragged' only"),
              std::string::npos);
    EXPECT_NE(
        error_of(jets + parameter("farm.batch", "ragged")).find("no input has allow_ragged_batch"),
        std::string::npos);
}

TEST(BatchConfigTest, RaggedFieldsThatDoNotFitAreNamed) {
    EXPECT_EQ(error_of(ragged + "batch_input [ { kind: BATCH_ELEMENT_COUNT target_name: \"n\" "
                                "data_type: TYPE_FP32 } ]"),
              "batch_input has 1 target_name and 0 source_input (it needs at least one and exactly "
              "one): correct it");
    EXPECT_NE(error_of(ragged + "batch_input [ { target_name: \"n\" source_input: \"hits\" } ]")
                  .find("batch_input 'n' has data_type TYPE_INVALID (it is not set)"),
              std::string::npos);
    EXPECT_NE(error_of(ragged + "batch_output [ { target_name: \"moved\" } ]")
                  .find("batch_output has 1 target_name and 0 source_input"),
              std::string::npos);
}

TEST(BatchConfigTest, RealRaggedRepositoryIsUnderstoodButForItsFormat) {
    const std::filesystem::path folder = "../shared/data/triton_models/ragged_io";
    if (!std::filesystem::exists(folder)) {
        GTEST_SKIP() << "the real Triton configuration is not at " << folder
                     << " (it is not ours to copy)";
    }
    inference::ModelConfig config;
    ASSERT_TRUE(read_config(folder / "config.pbtxt", config));
    const auto onnx = describe_model(config, folder);
    ASSERT_FALSE(onnx);
    EXPECT_NE(onnx.error().message.find("platform 'onnxruntime_onnx' is not supported"),
              std::string::npos);
    config.set_platform("pytorch_libtorch");
    const auto source = describe_model(config, folder);
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->batching->rule(), BatchRule::ragged);
    EXPECT_EQ(source->max_batch_rows, 4U);
    EXPECT_EQ(source->hints.max_queue_delay, std::chrono::seconds(1));
    // It is an identity: two calls of unequal lengths go in as one and come back as they were.
    const std::vector<TensorList> calls = {{testing::floats("INPUT0", {1, 3}, {1, 2, 3})},
                                           {testing::floats("INPUT0", {1, 1}, {4})}};
    const TensorList* pointers[] = {&calls[0], &calls[1]};
    auto run = source->batching->combine(pointers, heap_block);
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[0].desc.shape, (Shape{4}));
    (*run)[0].desc.name = "OUTPUT0";
    const auto parts = source->batching->split(*run, pointers);
    ASSERT_TRUE(parts) << parts.error().message;
    EXPECT_EQ((*parts)[0][0].desc.shape, (Shape{1, 3}));
    EXPECT_EQ(values_of((*parts)[1][0]), (std::vector<float>{4}));
}

}  // namespace
}  // namespace farm
