#include "cpu_client/events/generator.h"

#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "tests/support/trackml_detector.h"

namespace farm {
namespace {

using testing::trackml;

GeneratorOptions small_options() {
    GeneratorOptions options;
    options.collision.pileup = 5;
    return options;
}

EventGenerator generator(const GeneratorOptions& options) {
    auto made = EventGenerator::make(trackml(), options);
    EXPECT_TRUE(made) << made.error().message;
    return *made;
}

TrackmlEvent generate(const GeneratorOptions& options, std::uint32_t number) {
    auto event = generator(options).generate(number);
    EXPECT_TRUE(event) << event.error().message;
    return event ? *std::move(event) : TrackmlEvent{};
}

TEST(EventGeneratorTest, EventIsTheSameOnAnyNumberOfThreads) {
    GeneratorOptions options = small_options();
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 8);
    options.thread_count = 1;
    const TrackmlEvent alone = generate(options, 7);
    for (const int thread_count : {2, 3, 8, 0}) {
        options.thread_count = thread_count;
        EXPECT_TRUE(generate(options, 7) == alone) << thread_count << " threads";
    }
}

TEST(EventGeneratorTest, SeedAndNumberDecide) {
    GeneratorOptions options = small_options();
    const TrackmlEvent first = generate(options, 1);
    EXPECT_FALSE(generate(options, 2) == first);
    options.seed = 2;
    EXPECT_FALSE(generate(options, 1) == first);
}

TEST(EventGeneratorTest, CellsCanBeLeftOutWithoutAnotherChange) {
    GeneratorOptions options = small_options();
    TrackmlEvent with = generate(options, 1);
    options.with_cells = false;
    EXPECT_FALSE(with.cells.empty());
    with.cells.clear();
    EXPECT_TRUE(generate(options, 1) == with);
}

TEST(EventGeneratorTest, EventIsConsistent) {
    const TrackmlEvent event = generate(small_options(), 1);
    ASSERT_EQ(event.truth.size(), event.hits.size());
    std::map<std::uint64_t, std::int32_t> hit_count;
    double weight = 0;
    for (std::size_t i = 0; i < event.hits.size(); ++i) {
        EXPECT_EQ(event.hits[i].hit_id, static_cast<std::int32_t>(i + 1));
        EXPECT_EQ(event.truth[i].hit_id, event.hits[i].hit_id);
        ++hit_count[event.truth[i].particle_id];
        weight += event.truth[i].weight;
        if (event.truth[i].particle_id == 0) {
            EXPECT_EQ(event.truth[i].weight, 0);
        }
    }
    EXPECT_NEAR(weight, 1, 1e-4);
    for (const Particle& p : event.particles) EXPECT_EQ(p.nhits, hit_count[p.particle_id]);
    const auto noise = static_cast<double>(hit_count[0]);
    EXPECT_NEAR(noise / static_cast<double>(event.hits.size()), 0.15, 0.001);
}

TEST(EventGeneratorTest, WithoutParticlesThereIsNoNoiseEither) {
    GeneratorOptions options;
    const auto event = generator(options).replay({}, 1);
    ASSERT_TRUE(event);
    EXPECT_TRUE(event->hits.empty());
}

TEST(EventGeneratorTest, WithoutEfficiencyThereAreNoHits) {
    GeneratorOptions options = small_options();
    options.efficiency = 0;
    EXPECT_TRUE(generate(options, 1).hits.empty());
}

TEST(EventGeneratorTest, OptionsOutOfRangeAreNamed) {
    const auto error = [](auto change) {
        GeneratorOptions options;
        change(options);
        const auto made = EventGenerator::make(trackml(), options);
        return made ? std::string("no error") : made.error().message;
    };
    EXPECT_NE(error([](auto& o) { o.collision.pileup = -1; }).find("pileup is -1"),
              std::string::npos);
    EXPECT_NE(error([](auto& o) { o.collision.pileup = NAN; }).find("pileup"), std::string::npos);
    EXPECT_NE(error([](auto& o) { o.noise_share = 1; }).find("noise share"), std::string::npos);
    EXPECT_NE(error([](auto& o) { o.efficiency = 2; }).find("efficiency"), std::string::npos);
    EXPECT_NE(error([](auto& o) { o.collision.z_width = -2; }).find("z width"), std::string::npos);
    EXPECT_NE(error([](auto& o) { o.collision.eta_limit = -4; }).find("eta limit"),
              std::string::npos);
    EXPECT_NE(error([](auto& o) { o.thread_count = -1; }).find("threads"), std::string::npos);
    EXPECT_EQ(error([](auto& o) { o.row_limit_count = trackml_row_limit_count + 1; }),
              "row limit is 20000001.000000 (0 to 20000000): give another");
}

TEST(EventGeneratorTest, ParticleListsThatCannotBeAreRefused) {
    const EventGenerator made = generator({});
    const Particle good{1, 0, 0, 0, 1, 0, 0, 1, 0};
    const auto error = [&](std::vector<Particle> particles) {
        const auto event = made.replay(std::move(particles), 1);
        return event ? std::string("no error") : event.error().message;
    };
    Particle noise = good, heavy = good, resting = good;
    noise.particle_id = 0;
    heavy.q = 2;
    resting.px = 0;
    EXPECT_EQ(error({good}), "no error");
    EXPECT_NE(error({good, good}).find("twice"), std::string::npos);
    EXPECT_NE(error({noise}).find("noise"), std::string::npos);
    EXPECT_NE(error({heavy}).find("charge 2"), std::string::npos);
    EXPECT_NE(error({resting}).find("no momentum"), std::string::npos);
    Particle lost = good, vague = good, endless = good;
    lost.vz = INFINITY;
    vague.px = NAN;
    endless.py = INFINITY;
    for (const Particle& particle : {lost, vague, endless}) {
        EXPECT_NE(error({particle}).find("not a number"), std::string::npos);
    }
}

TEST(EventGeneratorTest, EventOfTooManyRowsIsGivenUp) {
    GeneratorOptions options = small_options();
    const TrackmlEvent event = generate(options, 1);
    ASSERT_GT(event.cells.size(), event.hits.size());
    options.row_limit_count = event.cells.size();
    EXPECT_TRUE(generator(options).generate(1));
    for (const std::size_t limit : {event.cells.size() - 1, event.hits.size(), std::size_t{10}}) {
        options.row_limit_count = limit;
        const auto refused = generator(options).generate(1);
        ASSERT_FALSE(refused) << limit;
        EXPECT_EQ(refused.error().code, ErrorCode::too_large);
        EXPECT_NE(refused.error().message.find("at most " + std::to_string(limit)),
                  std::string::npos);
    }
}

TEST(EventGeneratorTest, NoiseIsWithinTheLimitOfHits) {
    GeneratorOptions options = small_options();
    options.noise_share = 0;
    const std::size_t signal_count = generate(options, 1).hits.size();
    options.noise_share = 0.9;
    options.row_limit_count = 9 * signal_count;
    const auto refused = generator(options).generate(1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "the event has " + std::to_string(10 * signal_count) +
                                           " hits or more (at most " +
                                           std::to_string(9 * signal_count) +
                                           "): make it of fewer particles or with less noise");
}

TEST(EventGeneratorTest, TooManyParticlesAreRefused) {
    const auto event = generator({}).replay(std::vector<Particle>(replay_limit_count + 1), 1);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, ErrorCode::too_large);
    EXPECT_EQ(event.error().message,
              "there are 1000001 particles (at most 1000000 make one event): split the particle "
              "list");
}

/// Any detector will do: a single square sensor at z = 500 mm.
TEST(EventGeneratorTest, AnotherDetectorGivesItsOwnHits) {
    const auto detector = parse_detector(
        "volume_id,layer_id,module_id,cx,cy,cz,rot_xu,rot_xv,rot_xw,rot_yu,rot_yv,rot_yw,rot_zu,"
        "rot_zv,rot_zw,module_t,module_minhu,module_maxhu,module_hv,pitch_u,pitch_v\n"
        "1,1,1,0,0,500,1,0,0,0,1,0,0,0,1,0.15,100,100,100,0.05,0.05\n",
        "one.csv");
    ASSERT_TRUE(detector) << detector.error().message;
    GeneratorOptions options;
    options.propagation.interaction_scale = 0;
    options.efficiency = 1;
    options.noise_share = 0.5;
    const auto event =
        EventGenerator::make(*detector, options)->replay({{1, 0, 0, 0, 1, 0, 20, 1, 0}}, 1);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->particles[0].nhits, 1);
    EXPECT_EQ(event->hits.size(), 2U);
}

}  // namespace
}  // namespace farm
