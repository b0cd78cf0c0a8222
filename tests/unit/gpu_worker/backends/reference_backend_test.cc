#include "gpu_worker/backends/reference_backend.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "gpu_worker/backends/load_model.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::integers;

using Parameters = std::map<std::string, std::string>;

ModelSource source_with(const Parameters& parameters) {
    ModelSource source;
    source.model = "m";
    source.backend = "reference";
    source.has_config = true;
    for (const auto& [key, value] : parameters) {
        source.parameters["farm.reference." + key] = value;
    }
    return source;
}

std::unique_ptr<BackendInstance> instance_with(const Parameters& parameters) {
    auto model = load_model(source_with(parameters), Device{});
    return model ? std::move(*(*model)->make_instance()) : nullptr;
}

TEST(ReferenceBackendTest, IdentityPassesAnyTensorsOnWithoutCopy) {
    auto instance = instance_with({});
    ASSERT_TRUE(instance);
    const TensorList inputs = {integers("i", {2}, {1, 2}), floats("x", {}, {3})};
    const RunResult outputs = instance->run(inputs);
    ASSERT_TRUE(outputs);
    ASSERT_EQ(outputs->size(), 2U);
    EXPECT_EQ((*outputs)[0].desc, inputs[0].desc);
    EXPECT_EQ((*outputs)[0].data.data(), inputs[0].data.data());
    EXPECT_TRUE(instance->runs_inline());
}

TEST(ReferenceBackendTest, OutputsHaveTheNamesOfTheConfig) {
    ModelSource source = source_with({});
    source.signature.inputs = {{"x", dtype::f32, {-1}, false}};
    source.signature.outputs = {{"y", dtype::f32, {-1}, false}};
    auto model = load_model(source, Device{});
    ASSERT_TRUE(model);
    const TensorList inputs = {floats("x", {1}, {3})};
    EXPECT_EQ((*(*model)->make_instance())->run(inputs)->front().desc.name, "y");
}

TEST(ReferenceBackendTest, ScaleMultiplies) {
    auto instance = instance_with({{"kind", "scale"}, {"factor", "-1.5"}});
    const TensorList inputs = {floats("x", {2}, {2, 4})};
    const RunResult outputs = instance->run(inputs);
    ASSERT_TRUE(outputs);
    EXPECT_EQ(values_of(outputs->front()), (std::vector<float>{-3, -6}));
    EXPECT_FALSE(instance->runs_inline());
}

TEST(ReferenceBackendTest, ScaleRefusesOtherTypes) {
    auto instance = instance_with({{"kind", "scale"}});
    const TensorList inputs = {integers("x", {1}, {2})};
    const RunResult outputs = instance->run(inputs);
    ASSERT_FALSE(outputs);
    EXPECT_EQ(outputs.error().outcome, Outcome::input_error);
    EXPECT_EQ(outputs.error().detail,
              "input 'x' has type int64 (scale takes float32): send float32");
}

TEST(ReferenceBackendTest, SumReadsAllOfItsInput) {
    auto instance = instance_with({{"kind", "sum"}});
    // Whole words, and less than one.
    const TensorList inputs = {
        integers("i", {2}, {1, std::int64_t{1} << 40}),
        Tensor{{"c", dtype::u8, {4}}, Buffer::copy_of(std::as_bytes(std::span("\5\0\0\1", 4)))}};
    const RunResult outputs = instance->run(inputs);
    ASSERT_TRUE(outputs);
    ASSERT_EQ(outputs->size(), 2U);
    EXPECT_EQ((*outputs)[0].desc, (TensorDesc{"i", dtype::u64, {1}}));
    const auto value = [&](std::size_t i) {
        std::uint64_t sum = 0;
        std::memcpy(&sum, (*outputs)[i].data.data(), sizeof(sum));
        return sum;
    };
    EXPECT_EQ(value(0), 1U + (1ULL << 40));
    EXPECT_EQ(value(1), 5U + (1ULL << 24));
}

TEST(ReferenceBackendTest, SleepTakesAtLeastItsCost) {
    for (const std::string wait : {"sleep", "spin"}) {
        auto instance = instance_with(
            {{"kind", "sleep"}, {"fixed_ns", "1000000"}, {"per_row_ns", "500000"}, {"wait", wait}});
        const TensorList inputs = {floats("x", {4}, {1, 2, 3, 4})};
        const auto start = std::chrono::steady_clock::now();
        ASSERT_TRUE(instance->run(inputs));
        EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(3)) << wait;
    }
}

TEST(ReferenceBackendTest, RowsBeyondTheCliffTakeLonger) {
    auto instance = instance_with(
        {{"kind", "sleep"}, {"per_row_ns", "1000000"}, {"cliff_rows", "2"}, {"cliff_factor", "5"}});
    const auto time = [&](std::int64_t rows) {
        const auto begin = std::chrono::steady_clock::now();
        const TensorList inputs{testing::zeros("x", {rows, 1})};
        EXPECT_TRUE(instance->run(inputs));
        return std::chrono::steady_clock::now() - begin;
    };
    EXPECT_GE(time(2), std::chrono::milliseconds(2));
    EXPECT_GE(time(3), std::chrono::milliseconds(15));
    EXPECT_FALSE(instance_with({{"cliff_factor", "0.5"}}));
    EXPECT_FALSE(instance_with({{"cliff_factor", "nan"}}));
}

TEST(ReferenceBackendTest, FailsAsConfigured) {
    for (const auto& [text, outcome] : {std::pair{"input_error", Outcome::input_error},
                                        std::pair{"retryable_fault", Outcome::retryable_fault},
                                        std::pair{"device_fault", Outcome::device_fault}}) {
        const RunResult outputs = instance_with({{"kind", "fail"}, {"outcome", text}})->run({});
        ASSERT_FALSE(outputs);
        EXPECT_EQ(outputs.error().outcome, outcome);
    }
}

TEST(ReferenceBackendTest, OnlyMarkedRunsFail) {
    auto instance = instance_with({{"kind", "fail"}, {"mark", "-666"}});
    const TensorList good = {floats("x", {2}, {1, 2})};
    const TensorList marked = {floats("x", {3}, {1, -666, 2})};
    EXPECT_TRUE(instance->run(good));
    EXPECT_FALSE(instance->run(marked));
}

TEST(ReferenceBackendTest, RecoversAfterItsFailingRuns) {
    auto instance = instance_with({{"kind", "fail"}, {"failing_runs", "2"}});
    EXPECT_FALSE(instance->run({}));
    EXPECT_FALSE(instance->run({}));
    EXPECT_TRUE(instance->run({}));
}

TEST(ReferenceBackendDeathTest, CrashEndsTheProcess) {
    auto instance = instance_with({{"kind", "fail"}, {"outcome", "crash"}});
    EXPECT_DEATH((void)instance->run({}), "");
}

TEST(ReferenceBackendTest, UnknownKindNamesThePossibleOnes) {
    const auto model = load_model(source_with({{"kind", "magic"}}), Device{});
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().message,
              "parameter 'farm.reference.kind' is 'magic' (possible: identity, scale, sum, sleep, "
              "fail): correct config.pbtxt of model 'm'");
}

TEST(ReferenceBackendTest, NumbersAreChecked) {
    EXPECT_FALSE(load_model(source_with({{"factor", "2x"}}), Device{}));
    EXPECT_FALSE(load_model(source_with({{"fixed_ns", "-1"}}), Device{}));
    EXPECT_FALSE(load_model(source_with({{"per_row_ns", "3600000000001"}}), Device{}));
}

TEST(LoadModelTest, GpuModelIsRefusedOnACpu) {
    ModelSource source = source_with({});
    source.instance_kind = InstanceKind::gpu;
    const auto model = load_model(source, Device{});
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, ErrorCode::unavailable);
}

TEST(DeviceTest, ResolvesWhatIsThere) {
    const auto cpu = resolve_device("cpu");
    ASSERT_TRUE(cpu);
    EXPECT_EQ(to_string(*cpu), "cpu");
    EXPECT_FALSE(cpu->name.empty());
    EXPECT_TRUE(resolve_device("auto"));
}

TEST(DeviceTest, RefusesWhatIsNot) {
    for (const std::string_view text : {"gpu", "", "cuda:", "cuda:-1", "cuda:1x"}) {
        const auto device = resolve_device(text);
        ASSERT_FALSE(device) << text;
        EXPECT_EQ(device.error().code, ErrorCode::invalid);
    }
    const auto beyond = resolve_device("cuda:4096");
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace farm
