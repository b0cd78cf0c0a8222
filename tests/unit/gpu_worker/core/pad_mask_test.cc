#include "gpu_worker/core/pad_mask.h"

#include <gtest/gtest.h>

#include <random>

#include "gpu_worker/core/pad_copy.h"
#include "tests/unit/gpu_worker/batch_oracle.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::run_together;
using testing::zeros;

/// Jets of points with a mask and of vertices without: sums over points, and one score per point.
Signature jets() {
    return {{{"points", dtype::f32, {-1, 2, -1}, false},
             {"mask", dtype::f32, {-1, 1, -1}, false},
             {"vertices", dtype::f32, {-1, -1, 3}, false}},
            {{"sums", dtype::f32, {-1, 2}, false}, {"scores", dtype::f32, {-1, -1}, false}}};
}

PadMaskSettings settings() {
    PadMaskSettings made;
    made.inputs = {{"points", "mask"}, {"vertices"}};
    made.outputs = {{"scores", "points"}};
    return made;
}

std::shared_ptr<const Batching> rule(const PadMaskSettings& with = settings()) {
    const auto made = batch_padded(jets(), with);
    EXPECT_TRUE(made) << made.error().message;
    return *made;
}

/// sums[j, c] = sum of mask * points (+ all of the vertices); scores[j, p] = product of the point's
/// two numbers plus the number of points in the mask. Zeros add nothing, whatever the order.
TensorList jet_model(const TensorList& run) {
    const auto points = values_of(run.at(0));
    const auto mask = values_of(run.at(1));
    const auto vertices = values_of(run.at(2));
    const auto jet_count = static_cast<std::size_t>(run[0].desc.shape[0]);
    const auto length = static_cast<std::size_t>(run[0].desc.shape[2]);
    EXPECT_EQ(run[1].desc.shape, (Shape{run[0].desc.shape[0], 1, run[0].desc.shape[2]}));
    const std::size_t vertex_numbers = jet_count == 0 ? 0 : vertices.size() / jet_count;
    std::vector<float> sums(2 * jet_count, 0.0F);
    std::vector<float> scores(length * jet_count);
    for (std::size_t j = 0; j < jet_count; ++j) {
        float present = 0;
        for (std::size_t p = 0; p < length; ++p) present += mask[j * length + p];
        for (std::size_t p = 0; p < length; ++p) {
            const float a = points[(2 * j) * length + p];
            const float b = points[(2 * j + 1) * length + p];
            sums[2 * j] += mask[j * length + p] * a;
            sums[2 * j + 1] += mask[j * length + p] * b;
            scores[j * length + p] = a * b + present;
        }
        for (std::size_t v = 0; v < vertex_numbers; ++v) {
            sums[2 * j] += vertices[j * vertex_numbers + v];
        }
    }
    const auto rows = static_cast<std::int64_t>(jet_count);
    return {floats("sums", {rows, 2}, sums),
            floats("scores", {rows, static_cast<std::int64_t>(length)}, scores)};
}

Tensor random_floats(std::mt19937& engine, const std::string& name, const Shape& shape) {
    std::normal_distribution<float> number;
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    for (float& value : values) value = number(engine);
    return floats(name, shape, values);
}

TensorList random_jets(std::mt19937& engine, std::int64_t jet_count, std::int64_t points,
                       std::int64_t vertices) {
    const std::vector<float> ones(static_cast<std::size_t>(jet_count * points), 1.0F);
    return {random_floats(engine, "points", {jet_count, 2, points}),
            floats("mask", {jet_count, 1, points}, ones),
            random_floats(engine, "vertices", {jet_count, vertices, 3})};
}

void expect_same(const TensorList& actual, const TensorList& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t t = 0; t < expected.size(); ++t) {
        EXPECT_EQ(actual[t].desc, expected[t].desc);
        EXPECT_EQ(values_of(actual[t]), values_of(expected[t]));
    }
}

std::string key_of(const Batching& batching, const TensorList& call) {
    const auto measured = batching.measure(call);
    EXPECT_TRUE(measured) << measured.error().message;
    return measured ? measured->shape_key : "";
}

TEST(PadMaskTest, RandomSetsTogetherEqualOneByOneWithoutPadding) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 engine(seed);
        std::uniform_int_distribution<std::int64_t> points(1, 50);
        std::uniform_int_distribution<std::int64_t> vertices(0, 5);
        PadMaskSettings with = settings();
        if (seed % 2 == 1) with.minimum.of_input["mask"] = 9;
        if (seed % 3 == 1) with.multiple.everywhere = 4;
        const auto batching = rule(with);
        std::vector<TensorList> calls(1 + engine() % 6);
        for (TensorList& call : calls) {
            call = random_jets(engine, 1 + engine() % 3, points(engine), vertices(engine));
        }
        const auto parts = run_together(*batching, jet_model, calls);
        ASSERT_EQ(parts.size(), calls.size());
        for (std::size_t i = 0; i < calls.size(); ++i) expect_same(parts[i], jet_model(calls[i]));
    }
}

TEST(PadMaskTest, PadsWithZerosToTheLongest) {
    const std::vector<TensorList> calls = {
        {floats("points", {1, 2, 1}, {1, 2}), floats("mask", {1, 1, 1}, {1}),
         zeros("vertices", {1, 0, 3})},
        {floats("points", {1, 2, 3}, {3, 4, 5, 6, 7, 8}), floats("mask", {1, 1, 3}, {1, 1, 0}),
         floats("vertices", {1, 1, 3}, {9, 9, 9})}};
    const auto run = rule()->combine(testing::pointers_to(calls), heap_block);
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[0].desc.shape, (Shape{2, 2, 3}));
    EXPECT_EQ(values_of((*run)[0]), (std::vector<float>{1, 0, 0, 2, 0, 0, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(values_of((*run)[1]), (std::vector<float>{1, 0, 0, 1, 1, 0}));
    EXPECT_EQ(values_of((*run)[2]), (std::vector<float>{0, 0, 0, 9, 9, 9}));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*run)[0].data.data()) % 64, 0U);
}

TEST(PadMaskTest, LoneCallIsPaddedToTheMinimumAndElseRunsAsItIs) {
    std::mt19937 engine(1);
    PadMaskSettings with = settings();
    with.minimum.of_input["points"] = 9;
    const auto batching = rule(with);
    EXPECT_TRUE(batching->runs_as_it_is(random_jets(engine, 2, 9, 0)));
    const TensorList small = random_jets(engine, 2, 8, 2);
    EXPECT_FALSE(batching->runs_as_it_is(small));
    const auto run = lone_run(*batching, small);
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[1].desc.shape, (Shape{2, 1, 9}));
    EXPECT_EQ((*run)[2].desc.shape, (Shape{2, 2, 3}));
}

TEST(PadMaskTest, LengthsBetweenTwoPowersOfTwoShareARunUnlessABucketIsSet) {
    std::mt19937 engine(1);
    const auto jet = [&](std::int64_t points) { return random_jets(engine, 1, points, 1); };
    const auto by_powers = rule();
    EXPECT_EQ(key_of(*by_powers, jet(33)), key_of(*by_powers, jet(64)));
    EXPECT_NE(key_of(*by_powers, jet(32)), key_of(*by_powers, jet(33)));
    EXPECT_NE(key_of(*by_powers, jet(20)), key_of(*by_powers, random_jets(engine, 1, 20, 9)));
    EXPECT_EQ(key_of(*by_powers, jet(20)), key_of(*by_powers, random_jets(engine, 1, 20, 8)))
        << "short lengths cost little";
    PadMaskSettings with = settings();
    with.bucket.everywhere = 50;
    const auto by_fifty = rule(with);
    EXPECT_EQ(key_of(*by_fifty, jet(1)), key_of(*by_fifty, jet(50)));
    EXPECT_NE(key_of(*by_fifty, jet(50)), key_of(*by_fifty, jet(51)));
    with = settings();
    with.minimum.everywhere = 9;
    EXPECT_EQ(key_of(*rule(with), jet(1)), key_of(*rule(with), jet(9)));
}

TEST(PadMaskTest, RowsAreThoseOfTheBatchDimension) {
    std::mt19937 engine(1);
    EXPECT_EQ(rule()->measure(random_jets(engine, 7, 3, 1))->rows, 7U);
}

TEST(PadMaskTest, LengthsThatShouldBeEqualAreCompared) {
    const TensorList call = {zeros("points", {1, 2, 5}), zeros("mask", {1, 1, 4}),
                             zeros("vertices", {1, 1, 3})};
    const auto measured = rule()->measure(call);
    ASSERT_FALSE(measured);
    EXPECT_EQ(measured.error().code, ErrorCode::invalid);
    EXPECT_EQ(measured.error().message,
              "input 'mask' has length 4 in dimension 2 (input 'points' has 5, and the model wants "
              "them equal): send equal lengths");
}

TEST(PadMaskTest, OutputOfAnotherLengthIsTheModelsFault) {
    const std::vector<TensorList> calls = {
        {zeros("points", {1, 2, 5}), zeros("mask", {1, 1, 5}), zeros("vertices", {1, 1, 3})}};
    const auto parts = rule()->split({zeros("sums", {1, 2}), zeros("scores", {1, 4})},
                                     testing::pointers_to(calls));
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, ErrorCode::device);
    EXPECT_NE(parts.error().message.find("correct farm.pad_outputs"), std::string::npos);
}

TEST(PadMaskTest, WithoutGroupsEveryFreeDimensionIsALengthOfItsOwn) {
    const Signature pictures = {{{"pixels", dtype::u8, {-1, -1, -1}, false}},
                                {{"label", dtype::f32, {-1}, false}}};
    const auto batching = batch_padded(pictures, {});
    ASSERT_TRUE(batching) << batching.error().message;
    const auto picture = [](Shape shape, const std::vector<std::uint8_t>& values) {
        return testing::tensor_of("pixels", dtype::u8, std::move(shape), values);
    };
    const std::vector<TensorList> calls = {{picture({1, 2, 1}, {1, 2})},
                                           {picture({1, 1, 2}, {3, 4})}};
    const auto run = (*batching)->combine(testing::pointers_to(calls), heap_block);
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[0].desc.shape, (Shape{2, 2, 2}));
    EXPECT_EQ(values_of<std::uint8_t>((*run)[0]),
              (std::vector<std::uint8_t>{1, 0, 2, 0, 3, 4, 0, 0}));
}

std::string refusal(const PadMaskSettings& with, const Signature& signature = jets()) {
    const auto made = batch_padded(signature, with);
    return made ? "no error" : made.error().message;
}

TEST(PadMaskTest, SettingsThatDoNotFitAreNamed) {
    PadMaskSettings with = settings();
    with.inputs = {{"dots"}};
    EXPECT_EQ(refusal(with),
              "parameter 'farm.pad_inputs' names 'dots', which is no input "
              "(farm.batch is 'pad_mask'): use names of inputs");
    with.inputs = {{"points", "points"}};
    EXPECT_NE(refusal(with).find("names input 'points' twice"), std::string::npos);
    with = settings();
    with.minimum.of_input["sums"] = 3;
    EXPECT_NE(refusal(with).find("'farm.pad_minimum' names 'sums', which is not padded"),
              std::string::npos);
    with = settings();
    with.outputs.clear();
    EXPECT_EQ(refusal(with),
              "parameter 'farm.pad_outputs' does not say how output 'scores' with dims [-1, -1] is "
              "cut back after padding (farm.batch is 'pad_mask'): write 'scores:<input>' when its "
              "one -1 beyond the first has that input's length, else use another rule");
    with.outputs = {{"scores", "points"}, {"sums", "points"}};
    EXPECT_NE(refusal(with).find("how output 'sums'"), std::string::npos);
    with.outputs = {{"tracks", "points"}};
    EXPECT_NE(refusal(with).find("names 'tracks', which is no output"), std::string::npos);
    with.outputs = {{"scores", "sums"}};
    EXPECT_NE(refusal(with).find("cuts 'scores' to 'sums', which is not padded"),
              std::string::npos);
}

TEST(PadMaskTest, SignaturesThatCannotBePaddedAreNamed) {
    const Signature fixed = {{{"x", dtype::f32, {-1, 4}, false}}, {}};
    EXPECT_NE(refusal({}, fixed).find("no input has a -1 beyond the first"), std::string::npos);
    PadMaskSettings names_x;
    names_x.inputs = {{"x"}};
    EXPECT_NE(refusal(names_x, fixed).find("dims [-1, 4] have no -1 to pad"), std::string::npos);
    const Signature unbatched = {{{"x", dtype::f32, {4, -1}, false}}, {}};
    EXPECT_NE(refusal({}, unbatched).find("input 'x' has dims [4, -1]"), std::string::npos);
}

TEST(PadCopyTest, CornerOfAPaddedBlockIsTheBlock) {
    std::mt19937 engine(3);
    for (unsigned i = 0; i < 300; ++i) {
        Shape small(1 + engine() % 4);
        Shape large;
        for (std::int64_t& length : small) {
            length = engine() % 4;
            large.push_back(length + engine() % 3);
        }
        const Tensor block = random_floats(engine, "x", small);
        std::vector<float> padded(static_cast<std::size_t>(element_count(large)), -1);
        copy_padded(block.data.data(), small, std::as_writable_bytes(std::span(padded)).data(),
                    large, sizeof(float));
        float sum = 0;
        float expected = 0;
        for (const float value : padded) sum += value * value;
        for (const float value : values_of(block)) expected += value * value;
        EXPECT_NEAR(sum, expected, 1e-4);
        std::vector<float> back(values_of(block).size(), -1);
        copy_corner(std::as_bytes(std::span(padded)).data(), large,
                    std::as_writable_bytes(std::span(back)).data(), small, sizeof(float));
        EXPECT_EQ(back, values_of(block));
    }
}

}  // namespace
}  // namespace farm
