#include "cpu_client/events/hit_features.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "schemas/tensor_values.h"

namespace farm {
namespace {

TEST(HitFeaturesTest, CylindricalCoordinatesAreDividedByTheirScales) {
    const std::vector<Hit> hits{{1, 300, 400, -250, 8, 2, 1}, {2, -2, 0, 0, 8, 2, 1}};
    const Tensor features = hit_features("FEATURES", hits, {1000, std::numbers::pi, 500});
    EXPECT_EQ(features.desc, (TensorDesc{"FEATURES", dtype::f32, {2, 3}}));
    const auto values = values_of(features);
    EXPECT_FLOAT_EQ(values[0], 0.5F);
    EXPECT_FLOAT_EQ(values[1], static_cast<float>(std::atan2(4.0, 3.0) / std::numbers::pi));
    EXPECT_FLOAT_EQ(values[2], -0.5F);
    EXPECT_FLOAT_EQ(values[4], 1);
}

TEST(HitFeaturesTest, EventWithoutHitsHasNoRows) {
    EXPECT_EQ(hit_features("FEATURES", {}, {}).desc.shape, (Shape{0, 3}));
}

}  // namespace
}  // namespace farm
