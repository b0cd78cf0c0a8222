#include "cpu_client/events/digitisation.h"

#include <cmath>

#include <gtest/gtest.h>

namespace farm {
namespace {

/// A sensor of an endcap, whose charge drifts over 2 half_thickness: 2 mm here.
Module sensor(double pitch_u, double pitch_v) {
    Module module;
    module.u = {1, 0, 0};
    module.v = {0, 1, 0};
    module.w = {0, 0, 1};
    module.half_thickness = 1;
    module.min_half_u = module.max_half_u = 5;
    module.half_v = 5;
    module.pitch_u = pitch_u;
    module.pitch_v = pitch_v;
    return module;
}

Cluster digitise_at(const Module& module, double u, double v, Vec3 direction) {
    RandomStream random({1, 0, 0, 0});
    return digitise(module, {u, v, 0}, unit(direction), random);
}

TEST(DigitisationTest, StraightParticleFiresTheCellUnderIt) {
    const Cluster cluster = digitise_at(sensor(0.5, 0.5), 0.6, -4.9, {0, 0, 1});
    ASSERT_EQ(cluster.cells.size(), 1U);
    EXPECT_EQ(cluster.cells[0].ch0, 11);  // (0.6 + 5) / 0.5
    EXPECT_EQ(cluster.cells[0].ch1, 0);
    EXPECT_NEAR(cluster.cells[0].value, 2, 1);  // the way of 2 mm, to 10 %
    EXPECT_NEAR(cluster.position.x, 0.75, 1e-12);
    EXPECT_NEAR(cluster.position.y, -4.75, 1e-12);
}

TEST(DigitisationTest, InclinedParticleFiresTheRowOfCellsOnItsWay) {
    // From u = -1 to 1 through the depth of 2 mm: cells 8 to 11 of 0.5 mm.
    const Cluster cluster = digitise_at(sensor(0.5, 10), 0, 0, {1, 0, 1});
    ASSERT_EQ(cluster.cells.size(), 4U);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(cluster.cells[static_cast<std::size_t>(i)].ch0, 8 + i);
    EXPECT_NEAR(cluster.position.x, 0, 1e-12);  // strips: the mean of cells
}

TEST(DigitisationTest, DirectionOfTravelDoesNotMatter) {
    const Cluster forth = digitise_at(sensor(0.5, 10), 0.3, 0, {1, 0, 1});
    const Cluster back = digitise_at(sensor(0.5, 10), 0.3, 0, {-1, 0, -1});
    EXPECT_EQ(forth.cells.size(), back.cells.size());
    EXPECT_NEAR(forth.position.x, back.position.x, 1e-12);
}

TEST(DigitisationTest, SignalsAddUpToTheWayInTheSensor) {
    RandomStream random({1, 0, 0, 0});
    double sum = 0;
    constexpr int count = 2000;
    for (int i = 0; i < count; ++i) {
        const Vec3 position{random.uniform(-1, 1), random.uniform(-1, 1), 0};
        for (const Cell& cell :
             digitise(sensor(0.5, 0.5), position, unit({1, 1, 1}), random).cells) {
            sum += cell.value;
        }
    }
    EXPECT_NEAR(sum / count, 2 * std::sqrt(3.0), 0.02);  // 2 mm / cos; 0.1 / sqrt(count) ~ 0.01
}

TEST(DigitisationTest, CellsBeyondTheSensorStayOut) {
    const Cluster edge = digitise_at(sensor(0.5, 10), 4.9, 0, {1, 0, 1});
    for (const Cell& cell : edge.cells) {
        EXPECT_GE(cell.ch0, 0);
        EXPECT_LT(cell.ch0, 20);
    }
    EXPECT_FALSE(edge.cells.empty());
    const Cluster grazing = digitise_at(sensor(0.05, 0.05), 0, 0, {1, 0, 0});
    EXPECT_LE(grazing.cells.size(), 200U);
}

}  // namespace
}  // namespace farm
