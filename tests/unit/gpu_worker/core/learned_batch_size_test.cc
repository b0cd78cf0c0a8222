#include "gpu_worker/core/learned_batch_size.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "schemas/cost_curve.h"

namespace farm {
namespace {

/// Nanoseconds of a run with so many rows.
using Curve = std::function<double(std::uint32_t)>;

constexpr double us = 1000;

Curve flat() {
    return [](std::uint32_t rows) { return 100 * us * rows; };
}
Curve linear(double fixed, double per_row) {
    return [=](std::uint32_t rows) { return fixed + per_row * rows; };
}
/// Above `most` rows each row costs `factor` times as much: activations that are mapped anew.
Curve cliff(double fixed, double per_row, std::uint32_t most, double factor) {
    return [=](std::uint32_t rows) { return fixed + per_row * rows * (rows > most ? factor : 1); };
}

/// A device that follows a curve, with a queue that always has `available` rows.
struct Device {
    Curve curve;
    std::uint32_t available{1000};
    double noise{0};         ///< relative, towards longer
    double stall_chance{0};  ///< of a run that takes 20 times as long
    double first_factor{1};  ///< of the first two runs of each size
    std::mt19937_64 random{1};
    std::map<std::uint32_t, int> made{};

    double run(std::uint32_t rows) {
        double ns = curve(rows);
        std::exponential_distribution<double> longer(1 / std::max(noise, 1e-12));
        if (noise > 0) ns *= 1 + std::min(longer(random), 10 * noise);
        if (std::bernoulli_distribution(stall_chance)(random)) ns *= 20;
        if (made[rows]++ < 2) ns *= first_factor;
        return ns;
    }
};

struct Outcome {
    double busy_ns{0};
    double trial_ns{0};
    double trial_loss_ns{
        0};  ///< beyond what the rows of trials cost at the size then believed best
    double rows{0};
    double rate() const { return rows / busy_ns; }
};

Outcome drive(LearnedBatchSize& size, Device& device, int runs) {
    Outcome sum;
    for (int i = 0; i < runs; ++i) {
        const RunSize choice = size.choose(device.available);
        const std::uint32_t rows = std::min(choice.rows, device.available);
        const double ns = device.run(rows);
        if (choice.is_trial) {
            const std::uint32_t usual = std::min(size.rows(), device.available);
            const double at_best = device.curve(usual) / usual * rows;
            sum.trial_loss_ns += std::max(0.0, ns - at_best);
            sum.trial_ns += ns;
        }
        size.observe(rows, Duration(std::llround(ns)), choice);
        sum.busy_ns += ns;
        sum.rows += rows;
    }
    return sum;
}

/// The dumb way: the best rate of all sizes there are.
double best_rate(const Curve& curve, std::uint32_t most) {
    double best = 0;
    for (std::uint32_t rows = 1; rows <= most; ++rows) best = std::max(best, rows / curve(rows));
    return best;
}

/// The smallest limit of a size class that comes within the tolerance of the best class.
std::uint32_t best_limit(const Curve& curve, std::uint32_t most) {
    std::vector<CostPoint> points;
    for (std::size_t at = 0; at < RunTimes::class_count; ++at) {
        const std::uint32_t rows = std::min(RunTimes::most_rows(at), most);
        points.push_back({rows, static_cast<std::uint64_t>(curve(rows))});
        if (rows == most) break;
    }
    return knee_rows(points);
}

TEST(LearnedBatchSizeTest, BeginsWithTheConfiguredLimit) {
    LearnedBatchSize size(200);
    EXPECT_EQ(size.choose(1000), (RunSize{200, false}));
    EXPECT_EQ(LearnedBatchSize().choose(7), (RunSize{UINT32_MAX, false}));
}

TEST(LearnedBatchSizeTest, WhereSizeDoesNotMatterSingleRowsAreBest) {
    LearnedBatchSize size(256);
    Device device{flat()};
    drive(size, device, 1000);
    EXPECT_EQ(size.rows(), 1U);
}

TEST(LearnedBatchSizeTest, AFixedCostPerRunAsksForLargeRuns) {
    LearnedBatchSize size(256);
    Device device{linear(10'000 * us, us)};
    drive(size, device, 1000);
    EXPECT_EQ(size.rows(), 256U);
    EXPECT_TRUE(size.is_at_limit());
}

TEST(LearnedBatchSizeTest, StaysBelowACliff) {
    LearnedBatchSize size(235);
    Device device{cliff(400 * us, 100 * us, 100, 2.6)};
    drive(size, device, 1000);
    EXPECT_EQ(size.rows(), best_limit(device.curve, 235));
    EXPECT_EQ(size.rows(), 64U);
}

TEST(LearnedBatchSizeTest, FirstRunsThatCompileDoNotMislead) {
    LearnedBatchSize size(64);
    Device device{linear(1000 * us, 10 * us)};
    device.first_factor = 50;
    drive(size, device, 300);
    EXPECT_EQ(size.rows(), 64U);
}

TEST(LearnedBatchSizeTest, StallsDoNotMislead) {
    LearnedBatchSize size(64);
    Device device{cliff(500 * us, 100 * us, 32, 2)};
    device.stall_chance = 0.05;
    drive(size, device, 2000);
    EXPECT_EQ(size.rows(), 32U);
}

TEST(LearnedBatchSizeTest, FollowsACliffThatComesAndGoes) {
    LearnedBatchSize size(256);
    Device device{linear(2000 * us, 10 * us)};
    drive(size, device, 1000);
    ASSERT_EQ(size.rows(), 256U);
    device.curve = cliff(2000 * us, 10 * us, 64, 8);
    drive(size, device, 60);
    EXPECT_LE(size.rows(), 64U);
    device.curve = linear(2000 * us, 10 * us);
    drive(size, device, 20'000);
    EXPECT_EQ(size.rows(), 256U);
}

TEST(LearnedBatchSizeTest, NeverTriesTwiceInARow) {
    LearnedBatchSize size(256);
    Device device{linear(1000 * us, 100 * us)};
    bool tried = true;
    for (int i = 0; i < 2000; ++i) {
        const RunSize choice = size.choose(device.available);
        EXPECT_FALSE(tried && choice.is_trial) << "run " << i;
        tried = choice.is_trial;
        size.observe(choice.rows, Duration(std::llround(device.run(choice.rows))), choice);
    }
}

TEST(LearnedBatchSizeTest, AtLowLoadItLearnsFromWhatComesAndAsksForNothing) {
    LearnedBatchSize size(256);
    Device device{linear(1000 * us, 100 * us), 1};
    const Outcome outcome = drive(size, device, 1000);
    EXPECT_EQ(outcome.trial_ns, 0);
    EXPECT_TRUE(size.times().knows(0));
    EXPECT_EQ(size.rows(), 256U);  // nothing speaks against it
}

/// Sizes below the rows of single calls cannot be made of calls that cannot be sliced.
TEST(LearnedBatchSizeTest, ASizeThatCannotBeMadeIsNotTriedForEver) {
    LearnedBatchSize size(4096);
    int trials = 0;
    for (int i = 0; i < 1000; ++i) {
        const RunSize choice = size.choose(3000);
        const std::uint32_t rows = choice.rows < 600 ? 300 : choice.rows / 300 * 300;
        trials += choice.is_trial ? 1 : 0;
        size.observe(rows, Duration(1'000'000 + 1000LL * rows), choice);
    }
    EXPECT_LT(trials, 100);
}

TEST(LearnedBatchSizeTest, TheSameRunsGiveTheSameSizes) {
    for (const double noise : {0.0, 0.2}) {
        LearnedBatchSize a(100);
        LearnedBatchSize b(100);
        Device one{cliff(100 * us, 50 * us, 20, 2), 77, noise};
        Device two = one;
        for (int i = 0; i < 500; ++i) {
            const RunSize choice = a.choose(77);
            ASSERT_EQ(choice, b.choose(77));
            const auto rows = std::min(choice.rows, 77U);
            a.observe(rows, Duration(std::llround(one.run(rows))), choice);
            b.observe(rows, Duration(std::llround(two.run(rows))), choice);
        }
    }
}

/// Random curves, loads and noise: the rate must come near the best one that any size class has,
/// and trials must cost no more than the contract says.
TEST(LearnedBatchSizeTest, ComesNearTheBestAndTrialsStayCheap) {
    std::mt19937_64 random(7);
    const auto uniform = [&](double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random);
    };
    for (int round = 0; round < 100; ++round) {
        const auto most = static_cast<std::uint32_t>(uniform(1, 600));
        const auto edge = static_cast<std::uint32_t>(uniform(1, most + 1));
        const double fixed = std::exp(uniform(0, 8)) * us;
        const double per_row = std::exp(uniform(0, 6)) * us;
        Device device{cliff(fixed, per_row, edge, uniform(1, 4))};
        device.available = static_cast<std::uint32_t>(uniform(1, 1200));
        device.noise = round % 2 == 0 ? 0 : uniform(0, 0.1);
        device.random.seed(round);
        const std::uint32_t possible = std::min(most, device.available);

        LearnedBatchSize size(most);
        Outcome begin = drive(size, device, 400);
        Outcome outcome = drive(size, device, 10'000);
        const std::uint32_t best = best_limit(device.curve, possible);
        const double rate = outcome.rows / outcome.busy_ns;
        const double mean_noise = 1 + device.noise;
        const double reachable = best / device.curve(best) / mean_noise;
        EXPECT_GT(rate, (device.noise > 0 ? 0.90 : 0.955) * reachable)
            << "round " << round << " most " << most << " edge " << edge << " fixed " << fixed
            << " per row " << per_row << " available " << device.available << " best " << best
            << " size " << size.rows();
        EXPECT_LT(outcome.trial_ns, 0.03 * outcome.busy_ns) << "round " << round;
        if (device.noise == 0) {
            double longest = 0;  // one trial of each class is not bounded
            for (std::size_t at = 0; RunTimes::most_rows(at) / 2 < possible; ++at) {
                longest += device.curve(std::min(RunTimes::most_rows(at), possible));
            }
            EXPECT_LT(outcome.trial_loss_ns, 0.01 * (begin.busy_ns + outcome.busy_ns) + longest)
                << "round " << round;
        }
        EXPECT_GE(best_rate(device.curve, possible), reachable * mean_noise * 0.999);
    }
}

}  // namespace
}  // namespace farm
