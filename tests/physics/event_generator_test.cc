/// Drawn events at pile-up 200 against figures of two whole TrackML events of that pile-up: 8 568
/// and 9 852 primary particles, 103 305 and 117 978 hits, with which one event differs by a tenth
/// from another.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cpu_client/events/generator.h"
#include "tests/support/trackml_detector.h"

namespace farm {
namespace {

constexpr std::uint32_t event_count = 4;

bool is_primary(const Particle& p) { return (p.particle_id >> 40 & 0xfff) == 0; }

double percentile(std::vector<double>& values, double share) {
    const auto place = values.begin() +
                       static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

class PileupTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        const auto generator = EventGenerator::make(testing::trackml(), {});
        for (std::uint32_t i = 1; i <= event_count; ++i) {
            auto event = generator->generate(i);
            ASSERT_TRUE(event) << event.error().message;
            events_.push_back(*std::move(event));
        }
    }
    static void TearDownTestSuite() { events_.clear(); }
    static inline std::vector<TrackmlEvent> events_;
};

TEST_F(PileupTest, HitsAndNoise) {
    double hits = 0, noise = 0;
    std::map<std::int32_t, double> noise_in;
    for (const TrackmlEvent& event : events_) {
        hits += static_cast<double>(event.hits.size());
        for (std::size_t i = 0; i < event.hits.size(); ++i) {
            if (event.truth[i].particle_id != 0) continue;
            ++noise;
            ++noise_in[event.hits[i].volume_id];
        }
    }
    EXPECT_NEAR(hits / event_count, 125'000, 15'000);
    EXPECT_NEAR(noise / hits, 0.15, 0.001);
    EXPECT_NEAR(noise_in[17] / noise, 0.32, 0.01);
    EXPECT_NEAR(noise_in[13] / noise, 0.30, 0.01);
    EXPECT_NEAR(noise_in[8] / noise, 0.10, 0.01);
}

TEST_F(PileupTest, ParticlesAndSecondaries) {
    double primaries = 0, all = 0;
    for (const TrackmlEvent& event : events_) {
        all += static_cast<double>(event.particles.size());
        primaries += static_cast<double>(
            std::count_if(event.particles.begin(), event.particles.end(), is_primary));
    }
    EXPECT_NEAR(primaries / event_count, 9'200, 1'000);
    EXPECT_NEAR(1 - primaries / all, 0.298, 0.01);
}

/// 163 and 175 vertices of three particles or more; mean 52 and 55, spread 47.
TEST_F(PileupTest, ParticlesPerVertex) {
    std::vector<double> multiplicity;
    for (const TrackmlEvent& event : events_) {
        std::map<std::uint64_t, double> at_vertex;
        for (const Particle& p : event.particles) {
            if (is_primary(p)) ++at_vertex[p.particle_id >> 52];
        }
        for (const auto& [vertex, count] : at_vertex) {
            if (count >= 3 && vertex != 1) multiplicity.push_back(count);
        }
    }
    const auto count = static_cast<double>(multiplicity.size());
    double sum = 0, squares = 0;
    for (const double value : multiplicity) {
        sum += value;
        squares += value * value;
    }
    const double mean = sum / count;
    EXPECT_NEAR(count / event_count, 169, 15);
    EXPECT_NEAR(mean, 53.5, 5);
    EXPECT_NEAR(std::sqrt(squares / count - mean * mean), 47, 5);
    EXPECT_NEAR(percentile(multiplicity, 0.5), 36, 6);
    EXPECT_NEAR(percentile(multiplicity, 0.95), 150, 15);
}

TEST_F(PileupTest, KinematicsOfPrimaries) {
    std::vector<double> pt, eta;
    for (const TrackmlEvent& event : events_) {
        for (const Particle& p : event.particles) {
            if (!is_primary(p)) continue;
            pt.push_back(std::hypot(p.px, p.py));
            eta.push_back(std::asinh(p.pz / pt.back()));
        }
    }
    // Percentiles of the real event 1000, which the Tsallis curve follows to a tenth.
    const std::array<std::pair<double, double>, 5> expected{
        {{0.25, 0.271}, {0.5, 0.453}, {0.75, 0.745}, {0.9, 1.243}, {0.95, 1.709}}};
    for (const auto& [share, value] : expected) {
        EXPECT_NEAR(percentile(pt, share), value, 0.1 * value) << share;
    }
    for (const double share : {0.1, 0.25, 0.5, 0.75, 0.9}) {
        EXPECT_NEAR(percentile(eta, share), -4 + 8 * share, 0.1) << share;
    }
}

/// A count among others. Shares of two lists differ by chance within three standard deviations of
/// each; a count of none may as well have been three.
struct Share {
    double count{0}, total{0};

    void add(bool is_counted) {
        ++total;
        if (is_counted) ++count;
    }
    double value() const { return count / total; }
    double chance() const { return 3 * std::sqrt(std::max(count, 1.0)) / total; }
};

void expect_same(const Share& ours, const Share& real, const std::string& what) {
    EXPECT_NEAR(ours.value(), real.value(), ours.chance() + real.chance()) << what;
}

/// Secondaries and the hard scatter against the whole list of the real event 1000.
class KinematicsTest : public PileupTest {
  protected:
    static void SetUpTestSuite() {
        const auto read = read_particles("data/trackml/event000001000-particles.csv");
        ASSERT_TRUE(read) << read.error().message;
        real_ = *read;
        PileupTest::SetUpTestSuite();
        for (const TrackmlEvent& event : events_) {
            ours_.insert(ours_.end(), event.particles.begin(), event.particles.end());
        }
    }

    /// Of the particles that `is_among`, those that `is_counted`.
    template <class Among, class Counted>
    static void compare(const std::string& what, Among is_among, Counted is_counted) {
        const auto share_in = [&](const std::vector<Particle>& particles) {
            Share share;
            for (const Particle& p : particles) {
                if (is_among(p)) share.add(is_counted(p));
            }
            return share;
        };
        expect_same(share_in(ours_), share_in(real_), what);
    }

    static double pt_of(const Particle& p) { return std::hypot(p.px, p.py); }
    static bool is_displaced(const Particle& p) { return std::hypot(p.vx, p.vy) > 1; }
    static bool is_hard(const Particle& p) { return p.particle_id >> 52 == 1 && !is_displaced(p); }
    static bool flies_inward(const Particle& p) { return p.px * p.vx + p.py * p.vy < 0; }
    static bool has_side_of_vertex(const Particle& p) { return p.pz * p.vz > 0; }

    static inline std::vector<Particle> real_, ours_;
};

TEST_F(KinematicsTest, MomentumOfSecondaries) {
    for (const double pt : {0.2, 0.5, 1.0, 2.0, 3.0, 5.0}) {
        compare("above " + std::to_string(pt) + " GeV", is_displaced,
                [&](const Particle& p) { return pt_of(p) > pt; });
    }
}

TEST_F(KinematicsTest, DirectionOfSecondaries) {
    for (const auto& [low, high] : {std::pair{0.1, 0.3}, {0.3, 1.0}, {1.0, 100.0}}) {
        const auto is_among = [&, low = low, high = high](const Particle& p) {
            return is_displaced(p) && pt_of(p) >= low && pt_of(p) < high;
        };
        const std::string from = " from " + std::to_string(low) + " GeV";
        compare("inward" + from, is_among, flies_inward);
        compare("to the vertex's side" + from, is_among, has_side_of_vertex);
    }
}

/// Of those that the metrics of tracks count.
TEST_F(KinematicsTest, HitsOfHardSecondaries) {
    const auto is_among = [](const Particle& p) { return is_displaced(p) && pt_of(p) > 1; };
    for (const int nhits : {1, 3, 5, 9}) {
        compare(std::to_string(nhits) + " hits or more", is_among,
                [&](const Particle& p) { return p.nhits >= nhits; });
    }
}

TEST_F(KinematicsTest, MomentumOfTheHardScatter) {
    for (const double pt : {0.3, 0.5, 1.0, 2.0, 5.0, 10.0}) {
        compare("above " + std::to_string(pt) + " GeV", is_hard,
                [&](const Particle& p) { return pt_of(p) > pt; });
    }
    compare("|eta| < 2", is_hard,
            [](const Particle& p) { return std::abs(std::asinh(p.pz / pt_of(p))) < 2; });
}

}  // namespace
}  // namespace farm
