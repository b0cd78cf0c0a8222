#include "gpu_worker/core/combine.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "gpu_worker/core/batching.h"
#include "gpu_worker/core/shape_classes.h"
#include "tests/unit/gpu_worker/batch_oracle.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::integers;
using testing::pointers_to;
using testing::zeros;

TEST(CombineTest, ConcatenatesOnRowsIntoAlignedBlocks) {
    const std::vector<TensorList> calls = {
        {floats("x", {1, 2}, {1, 2}), integers("i", {1}, {7})},
        {floats("x", {2, 2}, {3, 4, 5, 6}), integers("i", {2}, {8, 9})}};
    const TensorList run = combine_rows(pointers_to(calls), heap_block);
    ASSERT_EQ(run.size(), 2U);
    EXPECT_EQ(run[0].desc.shape, (Shape{3, 2}));
    EXPECT_EQ(values_of(run[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(values_of<std::int64_t>(run[1]), (std::vector<std::int64_t>{7, 8, 9}));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(run[0].data.data()) % 64, 0U);
}

TEST(CombineTest, SingleCallIsPassedOnWithoutCopy) {
    const std::vector<TensorList> calls = {{floats("x", {1, 2}, {1, 2})}};
    const TensorList run = combine_rows(pointers_to(calls), heap_block);
    EXPECT_EQ(run[0].data.data(), calls[0][0].data.data());
}

TEST(CombineTest, PartsShareTheMemoryOfTheRun) {
    const TensorList outputs = {floats("y", {3, 1}, {1, 2, 3})};
    const std::vector<std::uint32_t> rows = {1, 2};
    const auto parts = split_rows(outputs, rows);
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[1][0].desc.shape, (Shape{2, 1}));
    EXPECT_EQ(parts[1][0].data.data(), outputs[0].data.data() + sizeof(float));
    EXPECT_EQ(values_of(parts[1][0]), (std::vector<float>{2, 3}));
}

TEST(CombineTest, ShapesBeyondRowsDecideWhoSharesARun) {
    const TensorList call = {zeros("x", {1, 2, 5})};
    EXPECT_TRUE(same_shape_beyond_rows(call, {zeros("x", {9, 2, 5})}));
    EXPECT_FALSE(same_shape_beyond_rows(call, {zeros("x", {1, 2, 6})}));
    EXPECT_FALSE(same_shape_beyond_rows(call, {zeros("x", {1, 10})}));
    EXPECT_FALSE(same_shape_beyond_rows(call, {zeros("z", {1, 2, 5})}));
    EXPECT_FALSE(same_shape_beyond_rows(call, {zeros("x", {1, 2, 5}), zeros("m", {1})}));
    EXPECT_FALSE(same_shape_beyond_rows({zeros("x", {1})}, {integers("x", {1}, {0})}));
    EXPECT_FALSE(same_shape_beyond_rows({zeros("x", {})}, {zeros("x", {})}));
}

/// A model of rows: each output row depends on its input row alone.
TensorList twice(const TensorList& inputs) {
    TensorList outputs;
    for (const Tensor& input : inputs) {
        std::vector<float> values = values_of(input);
        for (float& value : values) value *= 2;
        outputs.push_back(floats(input.desc.name, input.desc.shape, values));
    }
    return outputs;
}

TensorList random_call(std::mt19937& engine, std::int64_t columns) {
    std::uniform_int_distribution<std::int64_t> rows(1, 6);
    std::normal_distribution<float> value;
    const std::int64_t row_count = rows(engine);
    TensorList call;
    for (const auto& [name, width] : {std::pair{"a", columns}, std::pair{"b", std::int64_t{1}}}) {
        std::vector<float> values(static_cast<std::size_t>(row_count * width));
        for (float& each : values) each = value(engine);
        call.push_back(floats(name, {row_count, width}, values));
    }
    return call;
}

TEST(CombineTest, CombineRunSplitEqualsOneByOne) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 engine(seed);
        const auto columns = static_cast<std::int64_t>(engine() % 4);  // 0: rows without bytes
        std::vector<TensorList> calls(1 + engine() % 7);
        std::vector<std::uint32_t> rows;
        for (TensorList& call : calls) {
            call = random_call(engine, columns);
            rows.push_back(row_count(call));
        }
        const auto parts = split_rows(twice(combine_rows(pointers_to(calls), heap_block)), rows);
        ASSERT_EQ(parts.size(), calls.size());
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const TensorList alone = twice(calls[i]);
            for (std::size_t t = 0; t < alone.size(); ++t) {
                EXPECT_EQ(parts[i][t].desc, alone[t].desc);
                EXPECT_EQ(values_of(parts[i][t]), values_of(alone[t]));
            }
        }
    }
}

std::uint64_t class_of(ShapeClasses& classes, const TensorList& call) {
    static const auto rows = *batch_rows({});
    return classes.class_of(rows->measure(call)->shape_key);
}

TEST(ShapeClassesTest, EqualNumbersOnlyForCallsThatMayShareARun) {
    ShapeClasses classes;
    const std::vector<TensorList> calls = {
        {zeros("x", {1, 2})},      {zeros("x", {5, 2})},
        {zeros("x", {1, 2, 1})},   {zeros("y", {1, 2})},
        {integers("x", {1}, {0})}, {zeros("x", {1})},
        {zeros("x", {1, 22})},     {zeros("x", {1, 2}), zeros("x", {1, 2})}};
    for (const TensorList& a : calls) {
        for (const TensorList& b : calls) {
            EXPECT_EQ(class_of(classes, a) == class_of(classes, b), same_shape_beyond_rows(a, b));
        }
    }
}

TEST(ShapeClassesTest, ForgetsButNeverReusesNumbers) {
    ShapeClasses classes;
    const std::uint64_t first = class_of(classes, {zeros("x", {1, 2})});
    std::uint64_t last = first;
    for (std::size_t i = 0; i <= ShapeClasses::limit_count; ++i) {
        const std::uint64_t next = class_of(classes, {zeros(std::to_string(i), {1})});
        EXPECT_GT(next, last);
        last = next;
    }
    EXPECT_GT(class_of(classes, {zeros("x", {1, 2})}), first);
}

}  // namespace
}  // namespace farm
