#include "cpu_client/lib/inference.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/ops/npy.h"
#include "common/wire/body.h"
#include "cpu_client/lib/input.h"
#include "cpu_client/lib/quarantine.h"
#include "cpu_client/lib/unpack_answer.h"

namespace farm {
namespace {

static_assert(dtype_of<float>() == dtype::f32);
static_assert(dtype_of<const double>() == dtype::f64);
static_assert(dtype_of<std::int64_t>() == dtype::i64);
static_assert(dtype_of<std::uint8_t>() == dtype::u8);
static_assert(dtype_of<bool>() == dtype::boolean);

Tensor floats(std::string name, const std::vector<float>& values) {
    return {{std::move(name), dtype::f32, {static_cast<std::int64_t>(values.size())}},
            Buffer::copy_of(std::as_bytes(std::span(values)))};
}

TEST(InferenceTest, OutputIsTypedAndMistakesAreNamed) {
    Inference result;
    result.status = CallStatus::ok;
    result.outputs = {floats("scores", {1, 2, 3}), floats("mask", {0})};
    EXPECT_EQ((*result.output("scores").as<float>())[2], 3.0F);
    const auto wrong = result.output("scores").as<double>();
    EXPECT_EQ(wrong.error().message,
              "output 'scores' is read as float64 (it holds float32): read it as that");
    const auto missing = result.output("score").as<float>();
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    EXPECT_EQ(missing.error().message, "no output 'score' (there is 'scores' 'mask')");
}

TEST(InferenceTest, OutputOfAFailedCallTellsWhyItFailed) {
    Inference result;
    result.status = CallStatus::deadline;
    result.detail = "not finished within 1.0 s";
    EXPECT_EQ(result.output("scores").as<float>().error().message,
              "no output 'scores' (the call ended DEADLINE: not finished within 1.0 s)");
}

TEST(UnpackAnswerTest, OutputsAreAlignedWhereverTheirBytesLay) {
    std::vector<Tensor> outputs;
    for (int i = 0; i < 9; ++i) {  // inlined, at odd places of the body
        outputs.push_back(floats("output" + std::string(static_cast<std::size_t>(i), 'x'),
                                 {1.5F, static_cast<float>(i)}));
    }
    outputs.push_back(floats("large", std::vector<float>(1000, 7)));
    const auto packed = pack_answer(outputs, Provenance{"w1", "gnn", 3, {}});
    ASSERT_TRUE(packed) << packed.error().message;
    Complete complete;
    complete.payload = PayloadId{1};
    const Inference result = unpack_answer(complete, *packed);
    ASSERT_TRUE(result.ok()) << result.detail;
    EXPECT_EQ(result.made_by.version, 3U);
    ASSERT_EQ(result.outputs.size(), outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto address = reinterpret_cast<std::uintptr_t>(result.outputs[i].data.data());
        EXPECT_EQ(address % alignof(float), 0U) << "output " << i;
        EXPECT_EQ((*Output(result.outputs[i]).as<float>())[0],
                  (*Output(outputs[i]).as<float>())[0]);
    }
}

TEST(UnpackAnswerTest, BytesThatAreNoAnswerAreInternal) {
    Complete complete;
    complete.payload = PayloadId{1};
    Payload nonsense;
    nonsense.body = Buffer::copy_of(std::as_bytes(std::span("nonsense")));
    const Inference result = unpack_answer(complete, nonsense);
    EXPECT_EQ(result.status, CallStatus::internal);
    EXPECT_NE(result.detail.find("cannot be read"), std::string::npos);
}

TEST(QuarantineTest, InputsAndReasonAreKeptAsFiles) {
    std::string folder = (std::filesystem::temp_directory_path() / "quarantine-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::vector<Tensor> inputs{floats("../nodes", {1, 2}),
                                     floats("b", std::vector<float>(500, 4))};
    const auto payload = pack_call(inputs);
    ASSERT_TRUE(payload);
    const auto place = write_quarantine(
        folder, {CallId::from_words(1, 2), "gnn", {}, "the worker vanished"}, *payload);
    ASSERT_TRUE(place) << place.error().message;
    const auto first = read_npy(*place / "0____nodes.npy", "nodes");
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->desc.shape, (Shape{2}));
    EXPECT_TRUE(std::filesystem::exists(*place / "1_b.npy"));
    std::ifstream in(*place / "call.txt");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NE(text.find("the worker vanished"), std::string::npos);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace farm
