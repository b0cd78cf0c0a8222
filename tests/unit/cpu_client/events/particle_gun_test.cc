#include "cpu_client/events/particle_gun.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace farm {
namespace {

bool is_primary(const Particle& particle) { return (particle.particle_id >> 40 & 0xfff) == 0; }

TEST(ParticleGunTest, WithoutPileupThereIsTheHardScatter) {
    CollisionOptions options;
    options.pileup = 0;
    std::size_t primaries = 0;
    for (const Particle& particle : draw_particles(options, 1, 1)) {
        EXPECT_EQ(particle.particle_id >> 52, 1U);
        primaries += is_primary(particle) ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(primaries), 232, 5 * std::sqrt(232));
}

TEST(ParticleGunTest, IdsAreUniqueAndNotThatOfNoise) {
    CollisionOptions options;
    options.pileup = 50;
    std::set<std::uint64_t> ids{0};
    for (const Particle& particle : draw_particles(options, 1, 1)) {
        EXPECT_TRUE(ids.insert(particle.particle_id).second);
    }
}

TEST(ParticleGunTest, SeedAndEventDecide) {
    CollisionOptions options;
    options.pileup = 5;
    EXPECT_EQ(draw_particles(options, 1, 1), draw_particles(options, 1, 1));
    EXPECT_NE(draw_particles(options, 1, 1), draw_particles(options, 2, 1));
    EXPECT_NE(draw_particles(options, 1, 1), draw_particles(options, 1, 2));
}

TEST(ParticleGunTest, PrimariesKeepTheLimitsOfEtaAndMomentum) {
    CollisionOptions options;
    options.pileup = 20;
    for (const Particle& p : draw_particles(options, 3, 1)) {
        const double pt = std::hypot(p.px, p.py);
        EXPECT_GE(pt, 0.0999);
        EXPECT_LE(std::abs(std::asinh(p.pz / pt)), 4.001);
        EXPECT_EQ(std::abs(p.q), 1);
        EXPECT_LT(std::abs(p.vz), 3000);
    }
}

}  // namespace
}  // namespace farm
