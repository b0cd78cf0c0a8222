#include "cpu_client/events/space_points.h"

#include <vector>

#include <gtest/gtest.h>

#include "schemas/tensor_values.h"

namespace farm {
namespace {

std::string error_of(std::string_view text) {
    const auto points = parse_space_points(text, "e.csv", space_point_units::classifier);
    return points ? "" : points.error().message;
}

TEST(SpacePointsTest, ColumnsAreBroughtToTheClassifiersUnits) {
    const auto points = parse_space_points("0.3,-0.5,0.2\r\n\n 0.6 , 1e-1,-2,7\n", "e.csv",
                                           space_point_units::metres);
    ASSERT_TRUE(points) << points.error().message;
    ASSERT_EQ(points->size(), 2U);
    EXPECT_FLOAT_EQ((*points)[0].r, 0.1F);
    EXPECT_FLOAT_EQ((*points)[0].phi, -0.5F);
    EXPECT_FLOAT_EQ((*points)[0].z, 0.5F);
    EXPECT_FLOAT_EQ((*points)[1].r, 0.2F);
    EXPECT_FLOAT_EQ((*points)[1].z, -5.0F);
}

TEST(SpacePointsTest, ErrorsNameFileLineColumnAndValue) {
    EXPECT_EQ(error_of("1,2,3\n1,abc,3\n"),
              "file 'e.csv', line 2, column 'phi': 'abc' is not a number (each line holds "
              "r,phi,z): correct or remove the line");
    EXPECT_NE(error_of("\n\n1,2\n").find("line 3 has 2 columns"), std::string::npos);
    EXPECT_NE(error_of("1,2,\n"), "");
    EXPECT_NE(error_of("1,2,nan\n").find("not a coordinate"), std::string::npos);
    EXPECT_NE(error_of("1,2,1e999\n"), "");
    EXPECT_NE(error_of("1,2,3x\n").find("'3x'"), std::string::npos);
    EXPECT_NE(error_of("r,phi,z\n").find("line 1, column 'r'"), std::string::npos);
}

TEST(SpacePointsTest, EmptyFileIsAnEventWithoutPoints) {
    const auto points = parse_space_points("", "e.csv", space_point_units::classifier);
    ASSERT_TRUE(points);
    EXPECT_TRUE(points->empty());
    EXPECT_EQ(to_tensor("nodes", *points).desc.shape, (Shape{0, 3}));
}

TEST(SpacePointsTest, MissingFileIsNotFound) {
    const auto points = read_space_points("no/such.csv", space_point_units::classifier);
    ASSERT_FALSE(points);
    EXPECT_EQ(points.error().code, ErrorCode::not_found);
}

TEST(SpacePointsTest, TensorIsRowMajor) {
    const Tensor tensor = to_tensor("nodes", {{1, 2, 3}, {4, 5, 6}});
    EXPECT_EQ(tensor.desc, (TensorDesc{"nodes", dtype::f32, {2, 3}}));
    EXPECT_EQ(values_of(tensor), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace farm
