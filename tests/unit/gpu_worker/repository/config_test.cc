#include <gtest/gtest.h>

#include "gpu_worker/repository/config_file.h"
#include "gpu_worker/repository/model_config.h"
#include "gpu_worker/repository/model_config.pb.h"

namespace farm {
namespace {

constexpr std::string_view tensors = R"(
input [ { name: "a" data_type: TYPE_FP32 dims: [ 2, -1 ] } ]
output [ { name: "b" data_type: TYPE_INT64 dims: [ 8 ] } ]
)";

Result<ModelSource> describe(const std::string& text) {
    inference::ModelConfig config;
    const auto parsed = parse_config(text, "config.pbtxt", config);
    if (!parsed) return tl::unexpected(parsed.error());
    return describe_model(config, "/models/m");
}

Result<ModelSource> describe_with_tensors(const std::string& text) {
    return describe(text + std::string(tensors));
}

std::string error_of(const std::string& text) {
    const auto source = describe_with_tensors(text);
    return source ? "no error" : source.error().message;
}

std::string parameter(const std::string& key, const std::string& value) {
    return "parameters { key: \"" + key + "\" value { string_value: \"" + value + "\" } }\n";
}

TEST(ConfigFileTest, DefectHasLineAndColumn) {
    inference::ModelConfig config;
    const auto parsed =
        parse_config("name: \"m\"\nmax_batch_size: many\n", "m/config.pbtxt", config);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message, "m/config.pbtxt:2:17: Expected integer, got: many");
}

TEST(ConfigFileTest, UnknownFieldHasLineAndName) {
    inference::ModelConfig config;
    const auto parsed = parse_config("\n\n  max_batch: 3\n", "c", config);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message.find("c:3:"), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find("max_batch"), std::string::npos);
}

TEST(ConfigFileTest, UnclosedSectionIsADefect) {
    inference::ModelConfig config;
    EXPECT_FALSE(parse_config("input [ { name: \"a\"", "c", config));
}

TEST(ConfigFileTest, MissingFileIsAnError) {
    inference::ModelConfig config;
    EXPECT_FALSE(read_config("/does/not/exist/config.pbtxt", config));
}

TEST(ModelConfigTest, BatchingModelHasLeadingFreeDimension) {
    const auto source = describe_with_tensors(
        "name: \"m\" platform: \"pytorch_libtorch\" max_batch_size: 500\n"
        "dynamic_batching { preferred_batch_size: [ 200, 100 ] max_queue_delay_microseconds: 50 }\n"
        "instance_group [ { count: 3 kind: KIND_CPU } ]\n"
        "optimization { graph { level: -1 } }");
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->model, "m");
    EXPECT_EQ(source->backend, "pytorch");
    EXPECT_EQ(source->batching->rule(), BatchRule::rows);
    EXPECT_EQ(source->max_batch_rows, 500U);
    EXPECT_EQ(source->hints.preferred_rows, (std::vector<std::uint32_t>{100, 200}));
    EXPECT_EQ(source->hints.max_queue_delay, std::chrono::microseconds(50));
    EXPECT_EQ(source->instance_count, 3U);
    EXPECT_EQ(source->instance_kind, InstanceKind::cpu);
    EXPECT_EQ(source->signature.inputs[0], (TensorSpec{"a", dtype::f32, {-1, 2, -1}, false}));
    EXPECT_EQ(source->signature.outputs[0], (TensorSpec{"b", dtype::i64, {-1, 8}, false}));
    EXPECT_EQ(source->max_result_bytes, 500U * 8 * 8);
}

TEST(ModelConfigTest, ModelWithoutBatchSizeDoesNotBatch) {
    const auto source = describe_with_tensors("");
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->batching->rule(), BatchRule::none);
    EXPECT_EQ(source->signature.inputs[0].dims, (Shape{2, -1}));
}

TEST(ModelConfigTest, CudaGraphsAreAskedForAsInTriton) {
    EXPECT_FALSE(describe_with_tensors("")->cuda_graphs);
    EXPECT_TRUE(describe_with_tensors("optimization { cuda { graphs: true } }")->cuda_graphs);
}

TEST(ModelConfigTest, OurParameters) {
    const auto source = describe_with_tensors(
        "max_batch_size: 4\n" + parameter("farm.batch", "none") +
        parameter("farm.intra_op_threads", "2") + parameter("farm.idempotent", "false") +
        parameter("farm.max_result_bytes", "1024") + parameter("farm.precision", "bf16") +
        parameter("theirs", "kept"));
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->batching->rule(), BatchRule::none);
    EXPECT_EQ(source->intra_op_thread_count, 2U);
    EXPECT_EQ(source->precision, Precision::bf16);
    EXPECT_FALSE(source->idempotent);
    EXPECT_EQ(source->max_result_bytes, 1024U);
    EXPECT_EQ(source->parameters.at("theirs"), "kept");
}

TEST(ModelConfigTest, UnknownPlatformIsNamedWithWhatIsSupported) {
    EXPECT_EQ(
        error_of("platform: \"onnxruntime_onnx\""),
        "platform 'onnxruntime_onnx' is not supported (the model cannot be run): use platform "
        "\"pytorch_libtorch\" (backend \"pytorch\"), backend \"tracks\" and backend \"reference\"");
}

TEST(ModelConfigTest, NameMustBeThatOfTheFolder) {
    EXPECT_EQ(
        error_of("name: \"other\""),
        "name is 'other' (the folder of the model is 'm'): use the same name or leave it out");
}

TEST(ModelConfigTest, RowsRuleNeedsAFreeFirstDimension) {
    EXPECT_EQ(
        error_of(parameter("farm.batch", "rows")),
        "input 'a' has dims [2, -1] (parameter 'farm.batch' is 'rows', so the first dimension of "
        "every input and output is -1): correct dims or set max_batch_size");
}

TEST(ModelConfigTest, PrecisionIsForModelsWithWeights) {
    EXPECT_EQ(
        error_of("backend: \"reference\"\n" + parameter("farm.precision", "bf16")),
        "parameter 'farm.precision' is 'bf16' (backend 'reference' has no weights): remove it");
    EXPECT_EQ(error_of(parameter("farm.precision", "tf32")),
              "parameter 'farm.precision' is 'tf32' (\"fp64\", \"fp32\", \"bf16\" or \"fp16\"): "
              "correct it");
}

TEST(ModelConfigTest, RefusesWhatItWouldServeWrongly) {
    for (const std::string text :
         {"max_batch_size: -1", "sequence_batching { }", "ensemble_scheduling { }",
          "model_transaction_policy { decoupled: true }", "backend: \"python\"",
          "backend: \"reference\" platform: \"pytorch_libtorch\"",
          "batch_input [ { kind: BATCH_ELEMENT_COUNT target_name: \"n\" data_type: TYPE_FP32 } ]",
          "dynamic_batching { preferred_batch_size: [ 8 ] }",
          "instance_group [ { kind: KIND_MODEL } ]", "instance_group [ { count: -2 } ]",
          "instance_group [ { count: 1 }, { count: 1 } ]",
          "input [ { name: \"a\" data_type: TYPE_FP32 dims: [ 1 ] } ]",
          "input [ { name: \"c\" data_type: TYPE_STRING dims: [ 1 ] } ]",
          "input [ { name: \"c\" dims: [ 1 ] } ]",
          "input [ { name: \"c\" data_type: TYPE_FP32 dims: [ 0 ] } ]",
          "input [ { name: \"c\" data_type: TYPE_FP32 dims: [ 1 ] allow_ragged_batch: true } ]",
          "input [ { name: \"c\" data_type: TYPE_FP32 dims: [ 1 ] reshape { } } ]"}) {
        EXPECT_NE(error_of(text), "no error") << text;
    }
    for (const auto& [key, value] :
         {std::pair{"farm.batch", "graph"}, std::pair{"farm.intra_op_threads", "0"},
          std::pair{"farm.max_result_bytes", "1e6"}, std::pair{"farm.idempotent", "yes"},
          std::pair{"farm.batches", "rows"}, std::pair{"farm.precision", "int8"}}) {
        EXPECT_NE(error_of(parameter(key, value)), "no error") << key;
    }
}

TEST(ModelConfigTest, OnlyReferenceModelsMayLeaveTheSignatureOut) {
    EXPECT_FALSE(describe("platform: \"pytorch_libtorch\""));
    const auto source = describe("backend: \"reference\"");
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_TRUE(source->signature.inputs.empty());
}

TEST(ModelConfigTest, WarmupInSignatureOrder) {
    const auto source = describe_with_tensors(R"(
max_batch_size: 8
model_warmup {
  name: "w" batch_size: 3 count: 2
  inputs { key: "a" value { data_type: TYPE_FP32 dims: [ 2, 5 ] random_data: true } }
})");
    ASSERT_TRUE(source) << source.error().message;
    ASSERT_EQ(source->warmup.size(), 1U);
    EXPECT_EQ(source->warmup[0].run_count, 2U);
    EXPECT_EQ(source->warmup[0].inputs[0].desc.shape, (Shape{3, 2, 5}));
    EXPECT_EQ(source->warmup[0].inputs[0].data, WarmupData::random);
}

TEST(ModelConfigTest, WarmupWithoutAnInputIsAnError) {
    EXPECT_EQ(error_of("model_warmup { name: \"w\" }"),
              "model_warmup 'w' has no input 'a' (the model takes it): add it");
}

}  // namespace
}  // namespace farm
