#include "gpu_worker/core/ragged.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/gpu_worker/batch_oracle.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::run_together;
using testing::tensor_of;
using testing::zeros;

/// Hits of any number, a weight for each row; gives hits back, and their weighted sum for each row.
Signature hits() {
    return {{{"hits", dtype::f32, {-1, -1, 2}, false}, {"weight", dtype::f32, {-1, 1}, false}},
            {{"moved", dtype::f32, {-1, -1, 2}, false}, {"total", dtype::f32, {-1, 1}, false}}};
}

IndexTensor index(IndexKind kind, const std::string& name, DType type) {
    return {kind, {name, type, {}, false}, "hits"};
}

RaggedSettings settings() {
    return {{"hits"},
            {index(IndexKind::accumulated_element_count_with_zero, "starts", dtype::i32),
             index(IndexKind::item_shape, "shapes", dtype::i64)},
            {{"moved", "hits"}}};
}

std::shared_ptr<const Batching> rule(const RaggedSettings& with = settings()) {
    const auto made = batch_ragged(hits(), with);
    EXPECT_TRUE(made) << made.error().message;
    return *made;
}

/// Sees hits as one dimension, and finds rows by the shapes it is told.
TensorList hit_model(const TensorList& run) {
    const auto numbers = values_of(run.at(0));
    const auto weights = values_of(run.at(1));
    const auto starts = values_of<std::int32_t>(run.at(2));
    const auto shapes = values_of<std::int64_t>(run.at(3));
    EXPECT_EQ(run[0].desc.shape, (Shape{static_cast<std::int64_t>(numbers.size())}));
    EXPECT_EQ(run[3].desc.shape, (Shape{static_cast<std::int64_t>(weights.size()), 2}));
    EXPECT_EQ(starts.front(), 0);
    EXPECT_EQ(starts.back(), static_cast<std::int32_t>(numbers.size()));
    std::vector<float> moved;
    std::vector<float> totals;
    std::size_t at = 0;
    for (std::size_t row = 0; row < weights.size(); ++row) {
        const std::int64_t count = shapes[2 * row] * shapes[2 * row + 1];
        float total = 0;
        for (std::int64_t i = 0; i < count; ++i, ++at) {
            total += weights[row] * numbers.at(at);
            moved.push_back(numbers.at(at) + 1);
        }
        totals.push_back(total);
    }
    return {floats("moved", {static_cast<std::int64_t>(moved.size())}, moved),
            floats("total", {static_cast<std::int64_t>(totals.size()), 1}, totals)};
}

/// The same from the client's tensors, without the rule.
TensorList expected_of(const TensorList& call) {
    const auto numbers = values_of(call.at(0));
    const auto weights = values_of(call.at(1));
    std::vector<float> moved;
    for (const float number : numbers) moved.push_back(number + 1);
    std::vector<float> totals(weights.size(), 0.0F);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::size_t row = i / (numbers.size() / weights.size());
        totals[row] += weights[row] * numbers[i];
    }
    return {floats("moved", call[0].desc.shape, moved),
            floats("total", {static_cast<std::int64_t>(totals.size()), 1}, totals)};
}

TensorList random_hits(std::mt19937& engine, std::int64_t rows, std::int64_t count) {
    std::normal_distribution<float> number;
    std::vector<float> numbers(static_cast<std::size_t>(rows * count * 2));
    std::vector<float> weights(static_cast<std::size_t>(rows));
    for (float& value : numbers) value = number(engine);
    for (float& value : weights) value = number(engine);
    return {floats("hits", {rows, count, 2}, numbers), floats("weight", {rows, 1}, weights)};
}

TEST(RaggedTest, RandomCallsTogetherEqualOneByOne) {
    const auto batching = rule();
    for (unsigned seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 engine(seed);
        std::vector<TensorList> calls(1 + engine() % 6);
        for (TensorList& call : calls) call = random_hits(engine, 1 + engine() % 3, engine() % 9);
        const auto parts = run_together(*batching, hit_model, calls);
        ASSERT_EQ(parts.size(), calls.size());
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const TensorList expected = expected_of(calls[i]);
            for (std::size_t t = 0; t < expected.size(); ++t) {
                EXPECT_EQ(parts[i][t].desc, expected[t].desc);
                EXPECT_EQ(values_of(parts[i][t]), values_of(expected[t]));
            }
        }
    }
}

/// The index tensor that the rule makes of calls with hits [1, 3, 2], [2, 1, 2] and [1, 0, 2].
Tensor made(IndexKind kind, DType type) {
    RaggedSettings with = settings();
    with.index_tensors = {index(kind, "made", type)};
    const std::vector<TensorList> calls = {{zeros("hits", {1, 3, 2}), zeros("weight", {1, 1})},
                                           {zeros("hits", {2, 1, 2}), zeros("weight", {2, 1})},
                                           {zeros("hits", {1, 0, 2}), zeros("weight", {1, 1})}};
    const auto run = rule(with)->combine(testing::pointers_to(calls), heap_block);
    EXPECT_TRUE(run) << run.error().message;
    return run->back();
}

TEST(RaggedTest, IndexTensorsAreTritons) {
    const Tensor counts = made(IndexKind::element_count, dtype::f32);
    EXPECT_EQ(counts.desc.name, "made");
    EXPECT_EQ(counts.desc.shape, (Shape{3}));
    EXPECT_EQ(values_of(counts), (std::vector<float>{6, 4, 0}));
    EXPECT_EQ(values_of<std::int32_t>(made(IndexKind::accumulated_element_count, dtype::i32)),
              (std::vector<std::int32_t>{6, 10, 10}));
    EXPECT_EQ(
        values_of<std::int64_t>(made(IndexKind::accumulated_element_count_with_zero, dtype::i64)),
        (std::vector<std::int64_t>{0, 6, 10, 10}));
    const Tensor longest = made(IndexKind::max_element_count_as_shape, dtype::f32);
    EXPECT_EQ(longest.desc.shape, (Shape{6}));
    EXPECT_EQ(longest.data.size(), 6 * sizeof(float));
    const Tensor shapes = made(IndexKind::item_shape, dtype::i32);
    EXPECT_EQ(shapes.desc.shape, (Shape{4, 2}));
    EXPECT_EQ(values_of<std::int32_t>(shapes), (std::vector<std::int32_t>{3, 2, 1, 2, 1, 2, 0, 2}));
    const Tensor flat = made(IndexKind::item_shape_flatten, dtype::i32);
    EXPECT_EQ(flat.desc.shape, (Shape{8}));
    EXPECT_EQ(values_of<std::int32_t>(flat), values_of<std::int32_t>(shapes));
}

TEST(RaggedTest, LoneCallIsOneDimensionWithoutCopy) {
    std::mt19937 engine(1);
    const TensorList call = random_hits(engine, 2, 3);
    EXPECT_FALSE(rule()->runs_as_it_is(call));
    const auto run = lone_run(*rule(), call);
    ASSERT_TRUE(run);
    EXPECT_EQ((*run)[0].desc.shape, (Shape{12}));
    EXPECT_EQ((*run)[0].data.data(), call[0].data.data());
    EXPECT_EQ((*run)[1].desc.shape, (Shape{2, 1}));
}

TEST(RaggedTest, RaggedLengthsShareARunAndOthersMustAgree) {
    const RaggedSettings only_rows{{}, {}, {{"moved", "hits"}}};
    std::mt19937 engine(1);
    const TensorList a = random_hits(engine, 1, 3);
    const TensorList b = random_hits(engine, 2, 5);
    EXPECT_EQ(rule()->measure(a)->shape_key, rule()->measure(b)->shape_key);
    EXPECT_NE(rule(only_rows)->measure(a)->shape_key, rule(only_rows)->measure(b)->shape_key);
    EXPECT_EQ(rule()->measure(b)->rows, 2U);
}

TEST(RaggedTest, CountsThatTheTypeCannotHoldAreRefused) {
    RaggedSettings with = settings();
    with.index_tensors = {index(IndexKind::element_count, "made", dtype::f32)};
    // Descriptors are enough to count.
    const TensorList call = {{{"hits", dtype::f32, {1, 1 << 24, 2}}, {}}, zeros("weight", {1, 1})};
    const TensorList* calls[] = {&call};
    const auto run = rule(with)->combine(calls, heap_block);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().message,
              "input 'hits' has 33554432 elements in one run (batch_input 'made' of type float32 "
              "counts to 16777216): send smaller calls");
}

TEST(RaggedTest, OutputsThatDoNotFollowTheCallsAreTheModelsFault) {
    const std::vector<TensorList> calls = {{zeros("hits", {1, 3, 2}), zeros("weight", {1, 1})}};
    const auto pointers = testing::pointers_to(calls);
    const auto scattered = rule()->split({zeros("moved", {5}), zeros("total", {1, 1})}, pointers);
    ASSERT_FALSE(scattered);
    EXPECT_EQ(scattered.error().message,
              "output 'moved' has 5 elements (batch_output gives it the shapes of input 'hits', "
              "which has 6): correct batch_output");
    const auto rows = rule()->split({zeros("moved", {6}), zeros("total", {2, 1})}, pointers);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code, ErrorCode::device);
    EXPECT_NE(rows.error().message.find("output 'total' has shape [2, 1] (the run has 1 rows"),
              std::string::npos);
}

std::string refusal(const RaggedSettings& with) {
    const auto made = batch_ragged(hits(), with);
    return made ? "no error" : made.error().message;
}

TEST(RaggedTest, SettingsThatDoNotFitAreNamed) {
    RaggedSettings with = settings();
    with.index_tensors[0].source = "tracks";
    EXPECT_EQ(refusal(with),
              "batch_input 'starts' has source_input 'tracks' (which is no input): "
              "name an input of every call");
    with = settings();
    with.index_tensors[0].target.type = dtype::f16;
    EXPECT_NE(refusal(with).find("'starts' has data_type float16"), std::string::npos);
    with = settings();
    with.index_tensors[0].target.name = "weight";
    EXPECT_NE(refusal(with).find("target_name 'weight' (it is an input)"), std::string::npos);
    with.index_tensors[0].target.name = "shapes";
    EXPECT_NE(refusal(with).find("batch_input makes 'shapes' twice"), std::string::npos);
    with = settings();
    with.scattered = {{"tracks", "hits"}};
    EXPECT_NE(refusal(with).find("target_name 'tracks' (which is no output)"), std::string::npos);
    with.scattered = {{"moved", "tracks"}};
    EXPECT_NE(refusal(with).find("source_input 'tracks'"), std::string::npos);
}

}  // namespace
}  // namespace farm
