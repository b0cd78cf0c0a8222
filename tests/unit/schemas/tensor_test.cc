#include "schemas/tensor.h"

#include <gtest/gtest.h>

#include <limits>

#include "schemas/limits.h"

namespace farm {
namespace {

TensorDesc desc(DType type, Shape shape) { return {"x", type, std::move(shape)}; }

ErrorCode error_of(const TensorDesc& desc) { return checked_size_bytes(desc).error().code; }

TEST(CheckedSizeTest, MultipliesShapeAndElement) {
    EXPECT_EQ(*checked_size_bytes(desc(dtype::f32, {3, 5})), 60U);
    EXPECT_EQ(*checked_size_bytes(desc(dtype::boolean, {7})), 7U);
}

TEST(CheckedSizeTest, ScalarHasOneElementAndZeroDimensionNone) {
    EXPECT_EQ(*checked_size_bytes(desc(dtype::f64, {})), 8U);
    EXPECT_EQ(*checked_size_bytes(desc(dtype::f64, {4, 0, 4})), 0U);
}

TEST(CheckedSizeTest, AcceptsExactlyTheLimit) {
    const auto most = static_cast<std::int64_t>(limits::call_bytes);
    EXPECT_EQ(*checked_size_bytes(desc(dtype::u8, {most})), limits::call_bytes);
    EXPECT_EQ(error_of(desc(dtype::u8, {most + 1})), ErrorCode::too_large);
}

TEST(CheckedSizeTest, RefusesProductsThatOverflow) {
    constexpr std::int64_t two_32 = 1LL << 32;
    EXPECT_EQ(error_of(desc(dtype::u8, {two_32, two_32})), ErrorCode::too_large);
    EXPECT_EQ(error_of(desc(dtype::f64, {std::numeric_limits<std::int64_t>::max(), 2})),
              ErrorCode::too_large);
}

TEST(CheckedSizeTest, RefusesHugeStridesBehindAZeroDimension) {
    constexpr std::int64_t two_32 = 1LL << 32;
    EXPECT_EQ(error_of(desc(dtype::u8, {0, two_32, two_32})), ErrorCode::too_large);
}

TEST(CheckedSizeTest, RefusesNegativeDimensionAndNamesIt) {
    const auto size = checked_size_bytes(desc(dtype::f32, {-1, 3}));
    ASSERT_FALSE(size);
    EXPECT_NE(size.error().message.find("'x'"), std::string::npos);
    EXPECT_NE(size.error().message.find("[-1, 3]"), std::string::npos);
}

TEST(CheckedSizeTest, RefusesRankAboveTheLimit) {
    EXPECT_TRUE(checked_size_bytes(desc(dtype::f32, Shape(limits::tensor_rank, 1))));
    EXPECT_EQ(error_of(desc(dtype::f32, Shape(limits::tensor_rank + 1, 1))), ErrorCode::invalid);
    EXPECT_EQ(error_of(desc(dtype::f32, Shape(1000, 1))), ErrorCode::invalid);
}

TEST(CheckedSizeTest, AcceptsExactlyTheTypesThatHaveNames) {
    int accepted = 0;
    for (int code = 0; code < 16; ++code) {
        for (int bits = 0; bits < 256; ++bits) {
            const DType type{static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(bits), 1};
            const bool has_name = parse_dtype(to_string(type)) == type;
            EXPECT_EQ(checked_size_bytes(desc(type, {1})).has_value(), has_name) << to_string(type);
            accepted += has_name ? 1 : 0;
        }
    }
    EXPECT_EQ(accepted, 13);
}

TEST(CheckedSizeTest, RefusesTypesThatAreNotOurs) {
    EXPECT_EQ(error_of(desc({DType::floating, 0, 1}, {1})), ErrorCode::invalid);
    EXPECT_EQ(error_of(desc({DType::floating, 32, 4}, {1})), ErrorCode::invalid);
    EXPECT_EQ(error_of(desc({DType::floating, 32, 0}, {1})), ErrorCode::invalid);
    EXPECT_EQ(error_of(desc({DType::complex, 64, 1}, {1})), ErrorCode::invalid);
    EXPECT_EQ(error_of(desc({99, 32, 1}, {1})), ErrorCode::invalid);
}

TEST(DTypeTest, NamesSurviveARoundTrip) {
    for (const DType type :
         {dtype::f16, dtype::f32, dtype::f64, dtype::bf16, dtype::i8, dtype::i16, dtype::i32,
          dtype::i64, dtype::u8, dtype::u16, dtype::u32, dtype::u64, dtype::boolean}) {
        EXPECT_EQ(parse_dtype(to_string(type)), type) << to_string(type);
    }
}

TEST(DTypeTest, ReadsTritonNames) {
    EXPECT_EQ(parse_dtype("FP32"), dtype::f32);
    EXPECT_EQ(parse_dtype("TYPE_FP32"), dtype::f32);
    EXPECT_EQ(parse_dtype("TYPE_BOOL"), dtype::boolean);
    EXPECT_EQ(parse_dtype("BF16"), dtype::bf16);
}

TEST(DTypeTest, RefusesUnknownNames) {
    for (const char* name :
         {"", "TYPE_", "float", "float33", "FP32 ", "TYPE_STRING", "TYPE_TYPE_FP32"}) {
        EXPECT_FALSE(parse_dtype(name)) << name;
    }
}

TEST(DTypeTest, WritesUnnamedTypesAsCodeBitsLanes) {
    EXPECT_EQ(to_string(DType{DType::floating, 7, 3}), "float7x3");
    EXPECT_EQ(to_string(DType{9, 8, 1}), "code9_8");
}

TEST(ShapeTest, WritesFreeDimensions) {
    EXPECT_EQ(to_string(Shape{-1, 3}), "[-1, 3]");
    EXPECT_EQ(to_string(Shape{}), "[]");
}

TEST(RowCountTest, IsDimensionZeroOfTheFirstTensor) {
    EXPECT_EQ(row_count({{desc(dtype::f32, {5, 2}), {}}, {desc(dtype::f32, {9}), {}}}), 5U);
    EXPECT_EQ(row_count({{desc(dtype::f32, {}), {}}}), 1U);
    EXPECT_EQ(row_count({}), 1U);
    EXPECT_EQ(row_count({{desc(dtype::f32, {1LL << 40}), {}}}),
              std::numeric_limits<std::uint32_t>::max());
}

}  // namespace
}  // namespace farm
