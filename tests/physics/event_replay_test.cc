/// The particles of real TrackML events through our detector simulation, against what the real
/// simulation made of the same particles. Ours is simpler: no energy loss, no decays, one field.

#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "cpu_client/events/generator.h"
#include "tests/support/trackml_detector.h"

namespace farm {
namespace {

using testing::trackml;

TrackmlEvent replay(std::vector<Particle> particles) {
    const auto generator = EventGenerator::make(trackml(), {});
    auto event = generator->replay(std::move(particles), 1);
    EXPECT_TRUE(event) << event.error().message;
    return *event;
}

double pt_of(const Particle& p) { return std::hypot(p.px, p.py); }
double abs_eta_of(const Particle& p) { return std::abs(std::asinh(p.pz / pt_of(p))); }
bool is_primary(const Particle& p) { return std::hypot(p.vx, p.vy) < 1; }

struct Mean {
    double sum{0};
    double count{0};
    void add(double value) {
        sum += value;
        ++count;
    }
    double value() const { return count > 0 ? sum / count : 0; }
};

/// The list of event 1000: 12 263 particles with 103 305 hits.
class ParticleListTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        const auto list = read_particles("data/trackml/event000001000-particles.csv");
        ASSERT_TRUE(list) << list.error().message;
        real_ = *list;
        ours_ = replay(real_).particles;
    }
    /// Mean of f(nhits) over the particles that `take` holds for: ours and the real one.
    template <class Take, class Function>
    static std::pair<double, double> means(Take take, Function f) {
        Mean ours, real;
        for (std::size_t i = 0; i < real_.size(); ++i) {
            if (!take(real_[i])) continue;
            ours.add(f(ours_[i].nhits));
            real.add(f(real_[i].nhits));
        }
        return {ours.value(), real.value()};
    }
    static inline std::vector<Particle> real_, ours_;
};

TEST_F(ParticleListTest, HitsPerParticle) {
    const auto same = [](int nhits) { return nhits; };
    const auto all = means([](const Particle&) { return true; }, same);
    EXPECT_NEAR(all.second, 8.42, 0.01);
    EXPECT_NEAR(all.first, all.second, 0.04 * all.second);
    const auto primaries = means(is_primary, same);
    EXPECT_NEAR(primaries.second, 10.06, 0.01);
    EXPECT_NEAR(primaries.first, primaries.second, 0.02 * primaries.second);
    // Half of the secondaries begin in material, many are electrons, which ours treats as pions.
    const auto secondaries = means([](const Particle& p) { return !is_primary(p); }, same);
    EXPECT_NEAR(secondaries.first, secondaries.second, 0.12 * secondaries.second);
}

TEST_F(ParticleListTest, HitsPerParticleInEachRangeOfEtaAndMomentum) {
    const auto same = [](int nhits) { return nhits; };
    for (double eta = 0; eta < 4; eta += 0.5) {
        const auto seen = means(
            [&](const Particle& p) {
                return is_primary(p) && pt_of(p) > 0.5 && abs_eta_of(p) >= eta &&
                       abs_eta_of(p) < eta + 0.5;
            },
            same);
        EXPECT_NEAR(seen.first, seen.second, 0.07 * seen.second) << "|eta| from " << eta;
    }
    const std::array edges{0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 100.0};
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        const auto seen = means(
            [&](const Particle& p) {
                return is_primary(p) && pt_of(p) >= edges[i] && pt_of(p) < edges[i + 1];
            },
            same);
        EXPECT_NEAR(seen.first, seen.second, 0.07 * seen.second) << "pT from " << edges[i];
    }
}

/// Overlaps make 12 the most frequent number, interactions the tail below 9.
TEST_F(ParticleListTest, DistributionOfHitsPerParticle) {
    const auto hard = [](const Particle& p) { return is_primary(p) && pt_of(p) > 0.5; };
    const std::array<std::pair<int, int>, 7> ranges{
        {{0, 0}, {1, 4}, {5, 8}, {9, 10}, {11, 11}, {12, 13}, {14, 99}}};
    for (const auto& [low, high] : ranges) {
        const auto seen =
            means(hard, [&](int nhits) { return low <= nhits && nhits <= high ? 1.0 : 0.0; });
        EXPECT_NEAR(seen.first, seen.second, 0.03) << low << " to " << high << " hits";
    }
    const auto none = means(is_primary, [](int nhits) { return nhits == 0 ? 1.0 : 0.0; });
    EXPECT_NEAR(none.first, none.second, 0.015);
}

/// Standard deviation; real hits of barrels are off in the mean by half of the Lorentz shift.
class Spread {
  public:
    void add(double value) {
        mean_.add(value);
        squares_.add(value * value);
    }
    double value() const { return std::sqrt(squares_.value() - mean_.value() * mean_.value()); }

  private:
    Mean mean_, squares_;
};

/// Figures of the hits of particles in one volume.
struct VolumeFigures {
    double hits{0};
    double layers{0};  ///< that a particle left a hit in
    double cells{0};
    Spread u, v;  ///< of hit - truth

    double hits_per_layer() const { return hits / layers; }
    double cells_per_hit() const { return cells / hits; }
};

std::map<std::int32_t, VolumeFigures> figures_of(const TrackmlEvent& event) {
    std::map<std::int32_t, VolumeFigures> figures;
    std::set<std::tuple<std::uint64_t, std::int32_t, std::int32_t>> layers;
    std::map<std::int32_t, std::int32_t> volume_of;
    for (std::size_t i = 0; i < event.hits.size(); ++i) {
        const Hit& hit = event.hits[i];
        const TruthHit& truth = event.truth[i];
        if (truth.particle_id == 0) continue;
        const Module& module =
            trackml().modules()[*trackml().index_of({hit.volume_id, hit.layer_id, hit.module_id})];
        const Vec3 off{hit.x - truth.tx, hit.y - truth.ty, hit.z - truth.tz};
        VolumeFigures& volume = figures[hit.volume_id];
        ++volume.hits;
        volume.u.add(dot(off, module.u));
        volume.v.add(dot(off, module.v));
        if (layers.insert({truth.particle_id, hit.volume_id, hit.layer_id}).second) ++volume.layers;
        volume_of[hit.hit_id] = hit.volume_id;
    }
    for (const Cell& cell : event.cells) {
        const auto place = volume_of.find(cell.hit_id);
        if (place != volume_of.end()) ++figures[place->second].cells;
    }
    return figures;
}

/// The reduced event 1 is a cut of a real one that keeps all hits of its particles.
class ReducedEventTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        const auto event = read_event("data/trackml/event000000001");
        ASSERT_TRUE(event) << event.error().message;
        std::set<std::uint64_t> kept;
        for (const TruthHit& truth : event->truth) kept.insert(truth.particle_id);
        std::vector<Particle> particles;
        for (const Particle& p : event->particles) {
            if (kept.contains(p.particle_id)) particles.push_back(p);
        }
        const TrackmlEvent again = replay(particles);
        real_ = figures_of(*event);
        ours_ = figures_of(again);
    }
    static inline std::map<std::int32_t, VolumeFigures> real_, ours_;
};

/// Three standard deviations of the real count, and a tenth for what ours leaves out.
TEST_F(ReducedEventTest, HitsPerVolume) {
    double real_total = 0, our_total = 0;
    for (const auto& [volume, real] : real_) {
        real_total += real.hits;
        our_total += ours_[volume].hits;
    }
    EXPECT_NEAR(our_total, real_total, 0.06 * real_total);
    for (const auto& [volume, real] : real_) {
        const double share = real.hits / real_total;
        EXPECT_NEAR(ours_[volume].hits / our_total, share,
                    3 * std::sqrt(real.hits) / real_total + 0.1 * share)
            << "volume " << volume;
    }
}

/// Two hits in a layer are what overlapping modules give.
TEST_F(ReducedEventTest, HitsPerLayerCrossed) {
    for (const auto& [volume, real] : real_) {
        EXPECT_NEAR(ours_[volume].hits_per_layer(), real.hits_per_layer(), 0.1)
            << "volume " << volume;
    }
}

/// Resolution is not put in but comes of cells. The widest difference is in v of volume 8, where
/// real clusters of flat particles have longer tails.
TEST_F(ReducedEventTest, ResolutionPerVolume) {
    for (const auto& [volume, real] : real_) {
        const VolumeFigures& ours = ours_[volume];
        EXPECT_NEAR(ours.u.value(), real.u.value(), 0.25 * real.u.value()) << "volume " << volume;
        EXPECT_NEAR(ours.v.value(), real.v.value(), 0.25 * real.v.value()) << "volume " << volume;
    }
}

/// A few particles along a sensor fire many cells: means of 100 hits differ by a fifth.
TEST_F(ReducedEventTest, CellsPerHit) {
    for (const auto& [volume, real] : real_) {
        EXPECT_NEAR(ours_[volume].cells_per_hit(), real.cells_per_hit(),
                    0.35 * real.cells_per_hit())
            << "volume " << volume;
    }
}

}  // namespace
}  // namespace farm
