#include "cpu_client/events/secondaries.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cpu_client/events/drawn_particle.h"

namespace farm {
namespace {

constexpr int event_count = 2000;

/// What one primary leaves in many events, when each has a vertex.
template <class Check>
int for_secondaries_of(const Particle& parent, Check check) {
    int count = 0;
    SecondaryOptions options;
    options.vertices = 1;
    for (std::uint32_t event = 0; event < event_count; ++event) {
        RandomStream random({1, event, 1, 0});
        for (const Particle& p : draw_secondaries({parent}, options, random)) {
            check(p);
            ++count;
        }
    }
    return count;
}

Particle primary(Kinematics k, double vz = 0) {
    return make_particle(make_particle_id(7, 0, 1), {0, 0, vz}, k, 1);
}

TEST(SecondariesTest, NoneIsHarderThanItsParent) {
    const int count = for_secondaries_of(primary({0.3, 1, 0.5}), [](const Particle& p) {
        EXPECT_LE(std::hypot(p.px, p.py), 0.3001);
        EXPECT_EQ(interaction_of(p.particle_id), 7U);
    });
    EXPECT_NEAR(count, 1.78 * event_count, 0.1 * event_count);
}

TEST(SecondariesTest, VertexIsOnTheWayOfItsParent) {
    const Particle parent = primary({0.12, 1, 0.5});
    const Helix way(start_of(parent), 2);
    const double reach = 2 * 0.12 / (2 * bending_constant);
    for_secondaries_of(parent, [&](const Particle& p) {
        const Vec3 vertex{p.vx, p.vy, p.vz};
        EXPECT_LE(perp(vertex), reach + 0.01);
        const auto s = way.to_cylinder(perp(vertex), 0);
        ASSERT_TRUE(s);
        EXPECT_NEAR(norm(way.at(*s).position - vertex), 0, 0.01);
    });
}

TEST(SecondariesTest, VerticesOfForwardPrimariesAreInsideTheDetector) {
    const int count = for_secondaries_of(
        primary({5, 1, 3.9}), [](const Particle& p) { EXPECT_LE(std::abs(p.vz), 2950); });
    EXPECT_GT(count, event_count);
}

TEST(SecondariesTest, PrimaryThatBeginsOutsideLeavesNone) {
    EXPECT_EQ(for_secondaries_of(primary({1, 1, 1}, 4000), [](const Particle&) {}), 0);
}

}  // namespace
}  // namespace farm
