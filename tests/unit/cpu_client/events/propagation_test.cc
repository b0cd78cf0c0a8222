#include "cpu_client/events/propagation.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/trackml_detector.h"

namespace farm {
namespace {

using testing::trackml;

PropagationOptions without_interactions() {
    PropagationOptions options;
    options.interaction_scale = 0;
    return options;
}

TrackState particle(double pt, double angle, double eta, double z = 0) {
    const Vec3 momentum{pt * std::cos(angle), pt * std::sin(angle), pt * std::sinh(eta)};
    return {{0, 0, z}, unit(momentum), norm(momentum), 1};
}

std::vector<ModuleCrossing> propagate(const PropagationOptions& options, const TrackState& start,
                                      std::uint32_t index = 0) {
    RandomStream random({1, 0, 0, index});
    return Propagator(trackml(), options).propagate(start, random);
}

/// How far inside of the module's edges the helix crosses it; negative outside.
double margin(const Helix& helix, const Module& module) {
    const Vec3 to = module.centre - helix.at(0).position;
    const auto s = helix.to_plane(module.centre, module.w, norm(to));
    if (!s || *s <= 0) return -1e9;
    const Vec3 local = helix.at(*s).position - module.centre;
    const double u = dot(local, module.u), v = dot(local, module.v);
    return std::min(module.half_v - std::abs(v), module.half_width(v) - std::abs(u));
}

/// Every one of the 18 728 modules is the second opinion. Particles of 50 GeV, which scatter by
/// less than 0.1 mm; what is nearer than that to an edge may be either.
TEST(PropagatorTest, CrossesTheModulesThatAreOnItsWay) {
    constexpr double unsure = 0.3;  // mm
    RandomStream random({5, 0, 0, 0});
    std::size_t crossing_count = 0;
    for (std::uint32_t i = 0; i < 60; ++i) {
        const TrackState start = particle(50, random.uniform(-3, 3), random.uniform(-4, 4), 3);
        const Helix helix(start, 2);
        std::set<std::uint32_t> crossed;
        for (const ModuleCrossing& c : propagate(without_interactions(), start, i)) {
            EXPECT_TRUE(crossed.insert(c.module).second) << "twice";
        }
        crossing_count += crossed.size();
        for (std::uint32_t m = 0; m < trackml().modules().size(); ++m) {
            const double inside = margin(helix, trackml().modules()[m]);
            if (inside > unsure) {
                EXPECT_TRUE(crossed.contains(m)) << "module " << m;
            }
            if (inside < -unsure) {
                EXPECT_FALSE(crossed.contains(m)) << "module " << m;
            }
        }
    }
    EXPECT_GT(crossing_count, 500U);
}

TEST(PropagatorTest, CrossingsLieOnTheirModulesInTheOrderOfTheWay) {
    const auto crossings = propagate(without_interactions(), particle(1, 0.3, 0.5));
    ASSERT_GT(crossings.size(), 9U);
    double last = 0;
    for (const ModuleCrossing& c : crossings) {
        const Module& module = trackml().modules()[c.module];
        EXPECT_NEAR(dot(c.state.position - module.centre, module.w), 0, 1e-6);
        EXPECT_GT(norm(c.state.position), last);
        last = norm(c.state.position);
        EXPECT_NEAR(norm(c.state.direction), 1, 1e-9);
    }
}

/// Layers of strips begin where those nearer to the beam end, at the same z: both count.
TEST(PropagatorTest, DiscsSideBySideAreBothCrossed) {
    std::set<std::int32_t> volumes;
    for (std::uint32_t i = 0; i < 50; ++i) {
        for (const auto& c : propagate(without_interactions(), particle(5, 0.1 * i, 1.7), i)) {
            volumes.insert(trackml().modules()[c.module].volume_id);
        }
    }
    EXPECT_TRUE(volumes.contains(14));
    EXPECT_TRUE(volumes.contains(18));
}

TEST(PropagatorTest, SoftAndNeutralParticlesLeaveNothing) {
    EXPECT_TRUE(propagate({}, particle(0.14, 0, 0)).empty());
    TrackState neutral = particle(5, 0, 0);
    neutral.charge = 0;
    EXPECT_TRUE(propagate({}, neutral).empty());
}

TEST(PropagatorTest, CurlerEndsAfterItsTurns) {
    PropagationOptions options = without_interactions();
    const auto half = propagate(options, particle(0.3, 0, 0.05));
    options.turn_limit = 3;
    const auto longer = propagate(options, particle(0.3, 0, 0.05));
    EXPECT_GT(half.size(), 7U);
    EXPECT_LT(half.size(), 20U);
    EXPECT_GT(longer.size(), 4 * half.size());
    options.turn_limit = 1e6;
    EXPECT_LE(propagate(options, particle(0.3, 0, 1e-9)).size(), 1000U);  // 200 layers
}

TEST(PropagatorTest, InteractionsEndParticlesEarly) {
    PropagationOptions opaque;
    opaque.interaction_scale = 1e6;
    EXPECT_TRUE(propagate(opaque, particle(5, 0, 0)).empty());
}

TEST(PropagatorTest, StartOutsideOfTheDetectorLeavesNothing) {
    EXPECT_TRUE(propagate({}, particle(5, 0, 1, 1e5)).empty());
}

}  // namespace
}  // namespace farm
