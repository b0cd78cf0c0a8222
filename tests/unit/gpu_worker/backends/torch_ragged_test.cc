// What the batch rule makes of several calls reaches forward() under the names of config.pbtxt.
#include <gtest/gtest.h>
#include <torch/script.h>

#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/core/input_check.h"
#include "gpu_worker/repository/repository.h"
#include "tests/unit/gpu_worker/batch_oracle.h"
#include "tests/unit/gpu_worker/temporary_folder.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;

/// Moves every hit by one, and sums the hits of each call between its two bounds.
constexpr const char* program = R"(
def forward(self, hits: Tensor, bounds: Tensor):
    sums = torch.cat([torch.zeros([1]), torch.cumsum(hits, 0)])
    totals = torch.index_select(sums, 0, bounds[1:]) - torch.index_select(sums, 0, bounds[:-1])
    return hits + 1, totals.unsqueeze(1)
)";

constexpr const char* config = R"(
platform: "pytorch_libtorch"
max_batch_size: 8
input [ { name: "hits" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]
output [ { name: "moved__0" data_type: TYPE_FP32 dims: [ -1 ] },
         { name: "totals__1" data_type: TYPE_FP32 dims: [ 1 ] } ]
batch_input [ { kind: BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO target_name: "bounds"
                data_type: TYPE_INT64 source_input: "hits" } ]
batch_output [ { target_name: "moved__0" source_input: "hits" } ]
)";

TEST(TorchRaggedTest, UnequalCallsShareARunOfTheModel) {
    const testing::TemporaryFolder folder;
    folder.write("ragged/config.pbtxt", config);
    std::filesystem::create_directories(folder.path() / "ragged" / "1");
    torch::jit::Module module("ragged");
    module.define(program);
    module.save((folder.path() / "ragged" / "1" / "model.pt").string());

    const auto entries = scan_repository(folder.path());
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_EQ(entries->size(), 1U);
    const auto* source = std::get_if<ModelSource>(&entries->front());
    ASSERT_NE(source, nullptr) << std::get<LoadFailure>(entries->front()).reason;
    const auto model = load_model(*source, *resolve_device("cpu"));
    ASSERT_TRUE(model) << model.error().message;
    const auto instance = std::move(*(*model)->make_instance());

    std::vector<TensorList> calls = {{floats("hits", {1, 3}, {1, 2, 3})},
                                     {floats("hits", {1, 1}, {10})},
                                     {floats("hits", {1, 2}, {4, 5})}};
    for (TensorList& call : calls) ASSERT_TRUE(check_inputs((*model)->service(), call));
    const auto run = [&](const TensorList& inputs) {
        const RunResult outputs = instance->run(inputs);
        EXPECT_TRUE(outputs) << outputs.error().detail;
        EXPECT_TRUE(check_outputs((*model)->service(), 3, *outputs));
        return outputs ? *outputs : TensorList{};
    };
    const auto parts = testing::run_together(*source->batching, run, calls);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0][0].desc.shape, (Shape{1, 3}));
    EXPECT_EQ(values_of(parts[0][0]), (std::vector<float>{2, 3, 4}));
    EXPECT_EQ(values_of(parts[1][0]), (std::vector<float>{11}));
    EXPECT_EQ(values_of(parts[0][1]), (std::vector<float>{6}));
    EXPECT_EQ(values_of(parts[1][1]), (std::vector<float>{10}));
    EXPECT_EQ(values_of(parts[2][1]), (std::vector<float>{9}));
    EXPECT_EQ(parts[2][1].desc.shape, (Shape{1, 1}));

    const auto alone = testing::run_together(*source->batching, run, {calls[2]});
    EXPECT_EQ(values_of(alone.at(0)[1]), (std::vector<float>{9}));
}

TEST(TorchRaggedTest, WhatTheRuleMakesIsNoInputOfACall) {
    ServiceAd ad;
    ad.model = "ragged";
    ad.batch = BatchRule::ragged;
    ad.signature.inputs = {{"hits", dtype::f32, {-1, -1}, false}};
    TensorList call = {floats("hits", {1, 1}, {1}), testing::integers("bounds", {2}, {0, 1})};
    const auto checked = check_inputs(ad, call);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message.find("input 'bounds' is not known"), 0U);
}

}  // namespace
}  // namespace farm
