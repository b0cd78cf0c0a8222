#include "cpu_client/events/helix.h"

#include <gtest/gtest.h>

#include "cpu_client/events/random_stream.h"

namespace farm {
namespace {

constexpr double field = 2;

TrackState state(Vec3 position, Vec3 momentum, int charge) {
    return {position, unit(momentum), norm(momentum), charge};
}

TrackState random_state(RandomStream& random) {
    const Vec3 position{random.uniform(-30, 30), random.uniform(-30, 30),
                        random.uniform(-100, 100)};
    const Vec3 momentum{random.normal(), random.normal(), 2 * random.normal()};
    return state(position, momentum, random.uniform() < 0.5 ? -1 : 1);
}

TEST(HelixTest, PositiveParticleTurnsClockwiseWithTheRadiusOfItsMomentum) {
    const Helix helix(state({0, 0, 0}, {1, 0, 0}, 1), field);
    const double radius = 1000 / (0.299792458 * field);  // mm at 1 GeV
    const TrackState quarter = helix.at(radius * std::numbers::pi / 2);
    EXPECT_NEAR(quarter.position.x, radius, 1e-6);
    EXPECT_NEAR(quarter.position.y, -radius, 1e-6);
    EXPECT_NEAR(quarter.direction.y, -1, 1e-9);
}

/// The equation of motion in many small steps is the second opinion.
TEST(HelixTest, AgreesWithTheIntegratedLorentzForce) {
    RandomStream random({1, 0, 0, 0});
    for (int i = 0; i < 20; ++i) {
        const TrackState start = random_state(random);
        const Helix helix(start, field);
        TrackState at = start;
        constexpr double step = 0.01;
        for (int k = 0; k < 50'000; ++k) {  // midpoint rule
            const double turn = -start.charge * bending_constant * field / start.momentum * step;
            const Vec3 middle =
                at.direction + (turn / 2) * Vec3{-at.direction.y, at.direction.x, 0};
            at.position = at.position + step * middle;
            at.direction = at.direction + turn * Vec3{-middle.y, middle.x, 0};
        }
        EXPECT_LT(norm(helix.at(500).position - at.position), 1e-3);
    }
}

TEST(HelixTest, MeetsACylinderFirstWhereItSays) {
    RandomStream random({2, 0, 0, 0});
    int met_count = 0;
    for (int i = 0; i < 500; ++i) {
        const Helix helix(random_state(random), field);
        const double r = random.uniform(50, 800);
        const auto s = helix.to_cylinder(r, 1e-3);
        const double end = s ? *s : 3000;
        if (s) {
            EXPECT_NEAR(perp(helix.at(*s).position), r, 1e-6);
        }
        for (double before = 0; before < end - 1e-3; before += 1) {
            EXPECT_LT(perp(helix.at(before).position), r + 1e-3);
        }
        met_count += s ? 1 : 0;
    }
    EXPECT_GT(met_count, 300);
}

TEST(HelixTest, MeetsACylinderAgainOnItsWayBack) {
    const Helix helix(state({0, 0, 0}, {0.1, 0, 0}, -1), field);  // radius 167 mm
    const auto out = helix.to_cylinder(100, 1e-3);
    ASSERT_TRUE(out);
    const auto back = helix.to_cylinder(100, *out + 1e-3);
    ASSERT_TRUE(back);
    EXPECT_NEAR(*out + *back, 2 * std::numbers::pi / std::abs(helix.turn()), 1e-6);
    EXPECT_FALSE(helix.to_cylinder(400, 1e-3));
}

TEST(HelixTest, NeutralParticleGoesStraight) {
    const Helix helix(state({3, 0, 0}, {3, 0, 4}, 0), field);
    const auto s = helix.to_cylinder(6, 1e-3);
    ASSERT_TRUE(s);
    EXPECT_NEAR(*s, 5, 1e-9);
    EXPECT_NEAR(helix.at(*s).position.z, 4, 1e-9);
    EXPECT_NEAR(*helix.to_disc(8, 0), 10, 1e-9);
    EXPECT_FALSE(helix.to_disc(-8, 0));
}

TEST(HelixTest, MeetsAPlaneExactly) {
    RandomStream random({3, 0, 0, 0});
    for (int i = 0; i < 500; ++i) {
        const Helix helix(random_state(random), field);
        const TrackState near = helix.at(random.uniform(20, 200));
        const Vec3 normal = unit(near.direction + 0.3 * Vec3{random.normal(), random.normal(), 0});
        const Vec3 point = near.position + 2 * normal;
        const auto s = helix.to_plane(point, normal, 100);
        if (s) {
            EXPECT_NEAR(dot(helix.at(*s).position - point, normal), 0, 1e-6);
        }
    }
    const Helix flat(state({0, 0, 0}, {1, 0, 0}, 0), field);
    EXPECT_FALSE(flat.to_plane({0, 0, 5}, {0, 0, 1}, 0));
}

}  // namespace
}  // namespace farm
